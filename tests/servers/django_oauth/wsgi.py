"""The application; a new database gets its tables, its user and its clients when this is imported."""

import json
import os
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "servers.django_oauth.settings")
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()


def fill(names: dict[str, str]) -> None:
    """Make the tables, the user and one client for each grant type: an application here has only one."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from oauth2_provider.models import Application

    call_command("migrate", run_syncdb=True, verbosity=0)
    User.objects.create_user(names["user"], password=names["password"])
    for client, grant_type in (("client", "password"), ("machine", "client-credentials"), ("odd", "password")):
        Application.objects.create(
            name=client,
            client_id=names[f"{client}_id"],
            client_secret=names[f"{client}_secret"],
            client_type="confidential",
            authorization_grant_type=grant_type,
        )


if not Path(os.environ["OAUTH_DATABASE"]).exists():
    fill(json.loads(os.environ["OAUTH_NAMES"]))
