"""All checks, made for what is to be checked."""

from collections.abc import Iterator
from functools import partial

from client.doctor.check import Check, Finding, Subject, not_applicable
from client.doctor.clock import look_at_clock
from client.doctor.containers import look_at_containers
from client.doctor.cuda import look_at_cuda
from client.doctor.disk import look_at_disk, look_at_memory
from client.doctor.gpu import look_at_gpus
from client.doctor.models import Advanced, limit_s, look_at_models
from client.doctor.packages import look_at_packages
from client.doctor.plan import Plan
from client.doctor.ports import look_at_ports
from client.doctor.python import look_at_python
from client.doctor.services import look_at_services
from client.doctor.settings import look_at_settings
from client.doctor.sound import look_at_devices, look_at_hearing, look_at_sound_system
from client.doctor.terminal import look_at_terminal
from client.doctor.tls import look_at_tls
from client.messages import tr

_IMPORTS_LIMIT_S = 90.0  # of a whole extra, from a cold disk
_FIRST_REPLY_LIMIT_S = 45.0
_OF_SERVICES = (Subject.GPU, Subject.CUDA, Subject.CONTAINERS, Subject.MODELS, Subject.PORTS)


def all_checks(plan: Plan, size_bytes: int, advanced: Advanced, *, quick: bool) -> list[Check]:
    """Those of every subject; `size_bytes` is what the models weigh, `advanced` hears how their sums come along."""
    checks = [
        Check(Subject.SETTINGS, partial(look_at_settings, plan)),
        Check(Subject.PYTHON, look_at_python),
        *_packages(plan),
        Check(Subject.SERVICES, partial(look_at_services, plan.peers, plan.client.language_code), _FIRST_REPLY_LIMIT_S),
        Check(Subject.TLS, partial(look_at_tls, plan.services, plan.peers), 30.0),
        Check(Subject.SOUND, partial(look_at_devices, plan.client)),
        Check(Subject.SOUND, look_at_sound_system),
        Check(Subject.SOUND, partial(look_at_hearing, plan.client), _IMPORTS_LIMIT_S, works=True),
        Check(Subject.DISK, partial(look_at_memory, plan.profile, is_client_alone=plan.is_client_alone)),
        Check(Subject.CLOCK, look_at_clock),
        Check(Subject.TERMINAL, look_at_terminal),
    ]
    if plan.is_client_alone:
        checks += [Check(subject, partial(_elsewhere, plan.client.assistant.address)) for subject in _OF_SERVICES]
    else:
        checks += _of_services(plan, size_bytes, advanced, quick=quick)
    order = list(Subject)
    return sorted(checks, key=lambda check: order.index(check.subject))


def _of_services(plan: Plan, size_bytes: int, advanced: Advanced, *, quick: bool) -> Iterator[Check]:
    """What matters only where the services run."""
    models = partial(look_at_models, plan.models_dir, plan.profile, quick=quick, advanced=advanced)
    yield Check(Subject.GPU, partial(look_at_gpus, plan.wishes))
    yield Check(Subject.CUDA, partial(look_at_cuda, plan.wishes.keys()), _IMPORTS_LIMIT_S, works=True)
    yield Check(Subject.CONTAINERS, partial(look_at_containers, needs_gpu=bool(plan.wishes)), 6.0)
    yield Check(Subject.MODELS, models, limit_s(size_bytes), works=not quick)
    yield Check(Subject.DISK, partial(look_at_disk, plan.models_dir, plan.profile))
    yield Check(Subject.PORTS, partial(look_at_ports, plan.services))


async def _elsewhere(address: str) -> list[Finding]:
    return [not_applicable(tr("services"), tr("they run elsewhere: {address}", address=address))]


def _packages(plan: Plan) -> Iterator[Check]:
    yield Check(Subject.PACKAGES, partial(look_at_packages, "client", elsewhere=False), _IMPORTS_LIMIT_S, works=True)
    for service in plan.services:
        look = partial(look_at_packages, service.name, elsewhere=True)
        yield Check(Subject.PACKAGES, look, _IMPORTS_LIMIT_S, works=True)
