"""A LangChain chain about orders, recorded by OpikTracer: one run that works and one that fails."""

import itertools
import time
from typing import Any

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import tool
from opik.integrations.langchain import OpikTracer

ORDERS = {"9003": {"status": "packed", "carrier": "UPS", "days_left": 2}}


@tool
def find_order(order_id: str) -> dict[str, Any]:
    """Find an order by its number."""
    time.sleep(0.12)
    return ORDERS[order_id]


def _with_order(question: dict[str, str]) -> dict[str, Any]:
    order = find_order.invoke({"order_id": question["order_id"]})
    return {**question, "order": order}


def _chain() -> Runnable[Any, Any]:
    reply = AIMessage(
        content="Order 9003 is packed and arrives in two days.",
        usage_metadata={"input_tokens": 96, "output_tokens": 14, "total_tokens": 110},
    )
    prompt = ChatPromptTemplate.from_messages(
        [("system", "Tell the customer where the order is: {order}"), ("user", "{question}")]
    )
    model = GenericFakeChatModel(messages=itertools.repeat(reply))
    steps = RunnableLambda(_with_order, name="fetch_order") | prompt | model | StrOutputParser()
    return steps.with_config(run_name="order-chain")


def run() -> None:
    tracer = OpikTracer(project_name="orders", tags=["langchain"], metadata={"channel": "chat"})
    chain = _chain()
    try:
        for order_id in ("9003", "1234"):
            question = {"question": "Where is my order?", "order_id": order_id}
            chain.invoke(question, config={"callbacks": [tracer]})
    finally:
        tracer.flush()
