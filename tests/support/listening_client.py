"""A plain gRPC client in a process of its own, without our channel options: listening_client.py ADDRESS.

It begins a streamed call and listens until it is ended. Tests freeze it.
"""

import asyncio
import sys

import grpc

from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc


async def main(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        stub: tts_pb2_grpc.TtsServiceAsyncStub = tts_pb2_grpc.TtsServiceStub(channel)
        async for _ in stub.Synthesize(tts_pb2.SynthesizeRequest(text="hello")):
            pass


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
