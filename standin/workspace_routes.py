"""The routes about the workspace itself: who calls, its permissions, toggles, models and keys."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standin.switches import Switches


class WorkspaceRoutes:
    """The handlers of those routes."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    def routes(self) -> list[Route]:
        """The routes, those without authentication included."""
        private = "/v1/private"
        return [
            Route("/is-alive/ping", self.alive),
            Route("/health-check", self.alive),
            Route(f"{private}/workspace-permissions", self.permissions),
            Route(f"{private}/auth/workspace", self.default_workspace),
            Route(f"{private}/auth", self.check, methods=["POST"]),
            Route(f"{private}/toggles", self.toggles),
            Route(f"{private}/llm/models", self.models),
            Route(f"{private}/llm-provider-key", self.keys),
        ]

    async def alive(self, _: Request) -> Response:
        """Whether the backend lives; needs no login."""
        return JSONResponse({"message": "Healthy Server", "healthy": True})

    async def permissions(self, request: Request) -> Response:
        """Who calls, in which workspace; backends before this endpoint answer 404 or 405."""
        if self._switches.permissions_status:
            raise HTTPException(self._switches.permissions_status)
        granted = ("trace_view", "trace_annotate", "dataset_edit")
        return JSONResponse(
            {
                "userName": request.scope["user"],
                "workspaceName": request.scope["workspace"],
                "permissions": [
                    {"permissionName": name, "permissionValue": "true"} for name in granted
                ],
            }
        )

    async def default_workspace(self, request: Request) -> Response:
        """The caller's default workspace."""
        return JSONResponse({"workspace_name": request.scope["workspace"]})

    async def check(self, _: Request) -> Response:
        """Whether the caller may enter; a refusal has been answered before it comes here."""
        return Response(status_code=204)

    async def toggles(self, _: Request) -> Response:
        """The features that the operator has switched on."""
        return JSONResponse(
            {
                "opikAIEnabled": True,
                "ollieEnabled": False,
                "agentInsightsEnabled": False,
                "guardrailsEnabled": True,
                "openaiProviderEnabled": True,
                "anthropicProviderEnabled": True,
                "geminiProviderEnabled": True,
                "openrouterProviderEnabled": True,
                "customllmProviderEnabled": True,
            }
        )

    async def models(self, _: Request) -> Response:
        """The models of each provider; only newer backends know this endpoint."""
        if not self._switches.models_endpoint:
            raise HTTPException(404)
        return JSONResponse(
            {
                provider: [
                    {
                        "id": name,
                        "structuredOutput": True,
                        "reasoning": name.startswith(("gpt-5", "o")),
                    }
                    for name in names
                ]
                for provider, names in self._switches.models.items()
            }
        )

    async def keys(self, _: Request) -> Response:
        """The providers that the workspace has keys for; the keys themselves are masked."""
        content = []
        for number, key in enumerate(self._switches.keys):
            configuration: dict[str, str] = {}
            if key.models:
                configuration["models"] = ",".join(key.models)
            if key.responses_mode:
                configuration["openai_pipeline_mode"] = "RESPONSES_API"
            row = {
                "id": f"019a0000-0000-7000-8000-{number:012d}",
                "provider": key.provider,
                "api_key": "sk-*********key",
                "configuration": configuration,
                "read_only": False,
            }
            content.append(row | ({"provider_name": key.name} if key.name else {}))
        page = {"page": 1, "size": len(content), "total": len(content), "content": content}
        return JSONResponse(page | {"sortableBy": []})
