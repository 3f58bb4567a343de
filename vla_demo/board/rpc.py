"""gRPC for the services of `link.proto`: handlers and callers made from its description, so that only messages are generated code.

Every call carries a deadline and, where the board has one, its token; every message has a largest size. What fails says why, and no more.
"""

import hmac
import logging
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf.message_factory import GetMessageClass

from vla_demo.board import link_pb2 as link
from vla_demo.board.arm import NotNow
from vla_demo.board.lease import LeaseOver, LeaseRefused
from vla_demo.board.packages import NotThere
from vla_demo.core.errors import BoardError, InvalidInput, VlaDemoError

__all__ = ["MOST_BYTES_IN", "MOST_BYTES_OUT", "PART_BYTES", "TokenGate", "callers", "handlers"]

logger = logging.getLogger(__name__)

LONGEST_CALL = 120.0  # s; loading a large policy on a small board
PART_BYTES = 128 << 10  # of a package; a second at 1 Mbit/s
MOST_BYTES_IN = 1 << 20  # that a board takes in one message
MOST_BYTES_OUT = 32 << 20  # that a client takes: pictures of several cameras
_CODES: tuple[tuple[type[VlaDemoError], grpc.StatusCode], ...] = (  # the first that fits
    (LeaseOver, grpc.StatusCode.ABORTED),
    (LeaseRefused, grpc.StatusCode.PERMISSION_DENIED),
    (NotNow, grpc.StatusCode.FAILED_PRECONDITION),
    (NotThere, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (InvalidInput, grpc.StatusCode.INVALID_ARGUMENT),
    (VlaDemoError, grpc.StatusCode.FAILED_PRECONDITION),
)


class TokenGate(grpc.ServerInterceptor):  # type: ignore[misc]
    """Turns away, before anything is read, who does not bring the token."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()
        self._refusal = grpc.unary_unary_rpc_method_handler(_refuse_token)

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        brought = next((value for key, value in details.invocation_metadata if key == "authorization"), "")
        right = hmac.compare_digest(brought.encode() if isinstance(brought, str) else brought, self._expected)
        return continuation(details) if right else self._refusal


def handlers(service: str, target: object) -> Any:
    """A gRPC handler for a service of `link.proto`: each call goes to the method of `target` that has its name."""
    description = link.DESCRIPTOR.services_by_name[service]
    methods = {
        method.name: grpc.unary_unary_rpc_method_handler(
            _answer_call(getattr(target, method.name)),
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )
        for method in description.methods
    }
    return grpc.method_handlers_generic_handler(description.full_name, methods)


def callers(service: str, channel: Any, token: str | None) -> Mapping[str, Callable[[Any, float], Any]]:
    """For each call of a service a function of a request and a deadline (s). They raise `BoardError`, with what the board said."""
    description = link.DESCRIPTOR.services_by_name[service]
    metadata = (("authorization", f"Bearer {token}"),) if token else ()

    def caller(method: Any) -> Callable[[Any, float], Any]:
        call = channel.unary_unary(
            f"/{description.full_name}/{method.name}",
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )

        def ask(request: Any, deadline: float) -> Any:
            try:
                return call(request, timeout=deadline, metadata=metadata)
            except grpc.RpcError as error:
                raise call_error(error, method.name, deadline) from error
            except ValueError as error:  # what gRPC says of a channel that was closed
                raise BoardError("this connection to the board is closed") from error

        return ask

    return {method.name: caller(method) for method in description.methods}


def call_error(error: Any, call: str, deadline: float) -> BoardError:
    """A failed call in words."""
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return BoardError(f"the board did not answer {call} within {deadline:g} s")
    if code is grpc.StatusCode.UNAVAILABLE:
        logger.debug("%s: %s", call, details)
        return BoardError(f"the board cannot be reached{_connection_trouble(details)}")
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return BoardError(details)
    kinds: Mapping[grpc.StatusCode, type[BoardError]] = {
        grpc.StatusCode.ABORTED: LeaseOver,
        grpc.StatusCode.PERMISSION_DENIED: LeaseRefused,
        grpc.StatusCode.FAILED_PRECONDITION: NotNow,
        grpc.StatusCode.RESOURCE_EXHAUSTED: NotThere,
    }
    return kinds.get(code, BoardError)(details or str(code))


def _connection_trouble(details: str) -> str:
    """What gRPC says of a connection, as far as it helps a person."""
    known = {
        "Failed parsing HTTP/2": "what listens there is no board",
        "Connection refused": "nothing listens at that address; is `vla-board serve` running there?",
        "Hostname Verification": "its certificate is made for another address",
        "CERTIFICATE_VERIFY_FAILED": "its certificate is not the one that was given",
        "WRONG_VERSION_NUMBER": "it speaks no TLS; connect without a certificate",
        "addresses; last error: UNAVAILABLE: ": "it hangs up at once; a board with TLS wants its certificate given here",
        "hostname lookup": "its name is not known",
    }
    return next((f": {text}" for mark, text in known.items() if mark in details), "; its program has ended, or the network is down")


def _answer_call(run: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def answer(request: Any, context: Any) -> Any:
        if context.time_remaining() > LONGEST_CALL:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"every call has a deadline of at most {LONGEST_CALL:g} s")
        try:
            return run(request)
        except VlaDemoError as error:
            context.abort(next(code for kind, code in _CODES if isinstance(error, kind)), str(error))
        except Exception:  # what it was is for the board's log, not for whoever called
            logger.exception("a call failed")
            context.abort(grpc.StatusCode.INTERNAL, "the board failed; its log says why")

    return answer


def _refuse_token(_: bytes, context: Any) -> None:
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "the board wants its token, and this is not it")
