"""A stand-in for the Opik backend: takes what the SDK sends, serves it again, proxies chats."""
