"""The token end point, and a resource that wants a token."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from oauth2_provider.views import RevokeTokenView, TokenView
from oauth2_provider.views.generic import ProtectedResourceView


class Resource(ProtectedResourceView):
    """Answers 200 to a valid token, 403 to any other."""

    def get(self, request: HttpRequest, *_: object, **__: object) -> HttpResponse:
        return JsonResponse({"user": getattr(request.resource_owner, "username", None)})


urlpatterns = [
    path("o/token/", TokenView.as_view()),
    path("o/revoke/", RevokeTokenView.as_view()),
    path("resource/", Resource.as_view()),
]
