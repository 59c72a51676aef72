"""Chat templates of the model families in use, restated: their marks, their order, and what they refuse."""

CHATML = """
{%- for message in messages %}
<|im_start|>{{ message['role'] }}
{{ message['content'] }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

LLAMA_3 = """
{{- bos_token }}
{%- for message in messages %}
    {{- '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\\n\\n' ~ message.content | trim ~ '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"""

LLAMA_3_1 = """
{%- set ns = namespace(system='', first=0) %}
{{- bos_token }}
{%- if messages[0].role == 'system' %}
    {%- set ns.system = messages[0].content | trim %}
    {%- set ns.first = 1 %}
{%- endif %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\nToday Date: ' ~ date_string ~ '\\n\\n' }}
{{- ns.system ~ '<|eot_id|>' }}
{%- for message in messages[ns.first:] %}
    {%- if message.tool_calls is defined and message.tool_calls %}
        {%- if message.tool_calls | length != 1 %}
            {{- raise_exception('This model only supports single tool-calls at once!') }}
        {%- endif %}
        {%- set call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n{"name": "' ~ call.name ~ '", "parameters": ' }}
        {{- call.arguments | tojson ~ '}<|eot_id|>' }}
    {%- elif message.role == 'tool' %}
        {{- '<|start_header_id|>ipython<|end_header_id|>\\n\\n' ~ message.content | tojson ~ '<|eot_id|>' }}
    {%- else %}
        {{- '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\\n\\n' }}
        {%- if tools and loop.first %}
            {{- 'Answer with a function call: {"name": function name, "parameters": its arguments by name}.\\n' }}
            {%- for tool in tools %}{{ tool | tojson(indent=4) ~ '\\n' }}{% endfor %}
        {%- endif %}
        {{- message.content | trim ~ '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"""

_QWEN = """
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}{{ messages[0].content ~ '\\n\\n' }}{% endif %}
    {{- '# Tools\\n\\n<tools>' }}
    {%- for tool in tools %}{{ '\\n' ~ tool | tojson }}{% endfor %}
    {{- '\\n</tools>\\n\\nFor each call write:\\n' }}
    {{- '<tool_call>\\n{"name": …, "arguments": …}\\n</tool_call><|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' ~ messages[0].content ~ '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
        {{- '<|im_start|>' ~ message.role ~ '\\n' ~ message.content ~ '<|im_end|>\\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '<|im_start|>assistant' }}
        {%- if message.content %}{{ '\\n' ~ message.content.split('</think>')[-1].lstrip('\\n') }}{% endif %}
        {%- for call in message.tool_calls or [] %}
            {{- '\\n<tool_call>\\n{"name": "' ~ call.function.name ~ '", "arguments": ' }}
            {{- call.function.arguments | tojson ~ '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == 'tool' %}
        {{- '<|im_start|>user\\n<tool_response>\\n' ~ message.content ~ '\\n</tool_response><|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

QWEN_2_5 = _QWEN
QWEN_3 = (
    _QWEN
    + """
{%- if add_generation_prompt and enable_thinking is defined and enable_thinking is false %}
    {{- '<think>\\n\\n</think>\\n\\n' }}
{%- endif %}"""
)
DEEPSEEK_R1 = """
{{- bos_token }}
{%- for message in messages %}
    {%- if message.role == 'system' %}{{ message.content }}
    {%- elif message.role == 'user' %}{{ '<｜User｜>' + message.content }}
    {%- elif message.role == 'assistant' and message.content is none %}
        {%- for call in message.tool_calls %}
            {{- '<｜Assistant｜><｜tool▁call▁begin｜>' + call.function.name + '\\n' + call.function.arguments }}
        {%- endfor %}
    {%- elif message.role == 'assistant' %}{{ '<｜Assistant｜>' + message.content + eos_token }}
    {%- elif message.role == 'tool' %}{{ '<｜tool▁output▁begin｜>' + message.content }}
    {%- endif %}
{%- endfor %}
{%- for tool in tools or [] %}{{ tool.function.name }}{% endfor %}
{%- if add_generation_prompt %}{{ '<｜Assistant｜><think>\\n' }}{% endif %}"""

MISTRAL = """
{%- if messages[0].role == 'system' %}
    {%- set system = messages[0].content %}
    {%- set said = messages[1:] %}
{%- else %}
    {%- set said = messages %}
{%- endif %}
{%- set turn = namespace(users=0) %}
{%- for message in said if message.role in ('user', 'assistant') and not message.tool_calls %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('After the optional system message, conversation roles must alternate') }}
    {%- endif %}
{%- endfor %}
{%- set last_user = (said | selectattr('role', 'equalto', 'user') | list)[-1] %}
{{- bos_token }}
{%- for message in said %}
    {%- if message.role == 'user' %}
        {%- if tools and message == last_user %}
            {{- '[AVAILABLE_TOOLS] ' ~ tools | tojson ~ '[/AVAILABLE_TOOLS]' }}
        {%- endif %}
        {{- '[INST] ' ~ (system ~ '\\n\\n' if loop.last and system is defined else '') ~ message.content ~ '[/INST]' }}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- '[TOOL_CALLS] [' }}
        {%- for call in message.tool_calls %}
            {%- if call.id is not defined or call.id | length != 9 %}
                {{- raise_exception('Tool call IDs should be alphanumeric strings with length 9!') }}
            {%- endif %}
            {{- (call.function | tojson)[:-1] ~ ', "id": "' ~ call.id ~ '"}' ~ (']' if loop.last else ', ') }}
        {%- endfor %}
        {{- eos_token }}
    {%- elif message.role == 'assistant' %}
        {{- ' ' ~ message.content | trim ~ eos_token }}
    {%- elif message.role == 'tool' %}
        {{- '[TOOL_RESULTS] {"content": ' ~ message.content | tojson ~ ', "call_id": "' ~ message.tool_call_id ~ '"}' }}
        {{- '[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception('Only user, assistant and tool roles are supported') }}
    {%- endif %}
{%- endfor %}"""

MISTRAL_NAMED = (
    MISTRAL.replace("{{- '[TOOL_CALLS] [' }}", "")
    .replace("(call.function | tojson)[:-1] ~ ', \"id\": \"' ~ call.id ~ '\"}'", "'[TOOL_CALLS]' ~ call.function.name")
    .replace("~ (']' if loop.last else ', ')", "~ '[CALL_ID]' ~ call.id ~ '[ARGS]' ~ call.function.arguments | tojson")
)

GEMMA = """
{{- bos_token }}
{%- if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{%- for message in messages %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
    {%- endif %}
    {%- set role = 'model' if message.role == 'assistant' else message.role %}
    {{- '<start_of_turn>' ~ role ~ '\\n' ~ message.content | trim ~ '<end_of_turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"""

ALL = {
    "ChatML": CHATML,
    "Llama 3": LLAMA_3,
    "Llama 3.1": LLAMA_3_1,
    "Qwen 2.5": QWEN_2_5,
    "Qwen 3": QWEN_3,
    "DeepSeek R1": DEEPSEEK_R1,
    "Mistral": MISTRAL,
    "Mistral, newer": MISTRAL_NAMED,
    "Gemma": GEMMA,
}
