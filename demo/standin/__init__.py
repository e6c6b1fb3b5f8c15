"""A stand-in for the Opik backend: takes what the SDK sends, serves it again, proxies chats."""

from demo.standin.app import Standin, create_app
from demo.standin.chat import Chat, ChatError, Chunk, ScriptedChat
from demo.standin.faults import Fault
from demo.standin.records import Records
from demo.standin.switches import Account, Generation, ProviderKey, Received, Switches

__all__ = [
    "Account",
    "Chat",
    "ChatError",
    "Chunk",
    "Fault",
    "Generation",
    "ProviderKey",
    "Received",
    "Records",
    "ScriptedChat",
    "Standin",
    "Switches",
    "create_app",
]
