"""A stand-in for the Opik backend: takes what the SDK sends, serves it again, proxies chats."""

from standin.app import Standin, create_app
from standin.chat import Chat, ChatError, Chunk, ScriptedChat
from standin.faults import Fault
from standin.record_store import Records
from standin.switches import Account, Generation, ProviderKey, Received, Switches

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
