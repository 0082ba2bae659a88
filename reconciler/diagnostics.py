"""Findings about the definitions: what is wrong, where, and what to do; and the table of all rules with their codes.

A rule makes a `Finding` at a logical `Place` (document and path within it). The source turns it into
a `Diagnostic` with line and column, because only a failing file is worth parsing for positions.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import astuple

Path = tuple[str | int, ...]
MAX_FAULTS = 100
"""How many faults of one file are told; the rest is not even looked for."""


class Severity(StrEnum):
    """How much a finding weighs: an error stops the run, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Span(Struct, frozen=True):
    """A stretch of a file. Lines and columns count from 1, columns in characters; the end is exclusive."""

    file: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def __lt__(self, other: "Span") -> bool:
        return astuple(self) < astuple(other)


class Place(Struct, frozen=True):
    """Where a finding belongs before positions are known.

    Attributes:
        document: index of the document within its file, from 0.
        path: keys and indexes from the document's root.
        at_key: whether the key of the path's last step is meant, not its value.
        part: first character and the one behind the last, where a part of a text is meant.
    """

    document: int
    path: Path = ()
    at_key: bool = False
    part: tuple[int, int] | None = None


class Repair(Struct, frozen=True):
    """What would mend a finding without a doubt, before positions are known.

    Attributes:
        title: what it does, as one tells somebody to.
        how: `replace` the scalar by `text`; `quote` it; make a `list` of it; `drop` the item; write `within` its text.
        place: where; None for the place of the finding.
        parts: stretches of the text, and what stands there then.
    """

    title: str
    how: str
    text: str = ""
    place: Place | None = None
    parts: tuple[tuple[int, int, str], ...] = ()


class Finding(Struct, frozen=True):
    """One fault of a document, at a logical place."""

    code: str
    message: str
    place: Place
    hint: str = ""
    repair: Repair | None = None


class Edit(Struct, frozen=True):
    """Puts a text in place of a stretch of a file; where the stretch is empty, the text is inserted.

    The text repeats nothing of the file, so that it can be shown.
    """

    span: Span
    text: str


class Fix(Struct, frozen=True):
    """Edits of one file that mend one fault; they touch nothing else.

    Attributes:
        title: what they do, as one tells somebody to.
    """

    title: str
    edits: tuple[Edit, ...]


class Diagnostic(Struct, frozen=True):
    """One fault, ready to be shown.

    Attributes:
        code: stable code of the rule, a key of `RULES`.
        message: what is wrong; never holds a value that stands under a secret key.
        snippet: the offending line, secrets masked, or "" when there is none.
        hint: what to do, or "".
        fix: what `validate --fix` does about it; None where that is for people to decide.
    """

    code: str
    message: str
    span: Span
    snippet: str = ""
    hint: str = ""
    fix: Fix | None = None

    @property
    def severity(self) -> Severity:
        """Severity of the rule."""
        return RULES[self.code].severity

    def sort_key(self) -> tuple[Span, str, str]:
        """Order in which diagnostics leave the program."""
        return (self.span, self.code, self.message)


class Rule(Struct, frozen=True):
    """What a code stands for.

    Attributes:
        summary: a few words, the same for every finding of the rule.
        explanation: why the rule exists and how to satisfy it, shown by ``explain CODE``.
    """

    summary: str
    explanation: str
    severity: Severity = Severity.ERROR


_WARNING = Severity.WARNING

RULES: dict[str, Rule] = {
    # reading a file
    "RC101": Rule("unreadable file", "The file cannot be opened, is a symbolic link or a submodule, or is not a regular file. Definitions are read from regular files of this repository only, so that a link cannot reach outside of it and a commit holds all that it declares."),
    "RC102": Rule("file too large", "A file of definitions may hold 4 MiB. Split it: a file may hold any number of documents, a directory any number of files."),
    "RC103": Rule("not UTF-8", "Files of definitions are UTF-8, with or without a byte order mark. Save the file again in that encoding."),
    "RC104": Rule("YAML syntax", "The file is not well-formed YAML 1.2."),
    "RC105": Rule("tab in indentation", "YAML does not allow tabs for indentation. Use spaces."),
    "RC106": Rule("nested too deeply", "Values may be nested 100 levels deep. Some YAML loaders crash on deeper files, so they are refused before they are read."),
    "RC107": Rule("aliases expand too far", "With its aliases written out a document may hold 100,000 values, and a file a million; an alias may not stand inside what it repeats."),
    "RC108": Rule("duplicate key", "A key may stand only once in a mapping. YAML loaders disagree on which of the two values wins."),
    "RC109": Rule("ambiguous value", "YAML loaders read this plain value differently: as a number, a date, a time or a text. Write the number in its plain decimal form, or quote the text."),
    "RC110": Rule("merge key", "The merge key << belongs to YAML 1.1 and loaders disagree on it. Write the keys out, or repeat a whole value with an alias."),
    "RC111": Rule("tag", "Tags (!something) are read differently by different loaders. The schema decides on types; remove the tag."),
    "RC112": Rule("control character", 'Control characters, and the Unicode line separators that YAML 1.1 and 1.2 read differently, may not stand in a file. Write them as an escape in double quotes, such as "\\u0085".'),
    "RC113": Rule("key is not a text", "Keys are texts. Quote the key if it looks like a number, a boolean or null."),
    "RC114": Rule("document is not a mapping", "Each document is a mapping with apiVersion, kind, metadata and spec."),
    "RC115": Rule("YAML directive", "Directives (%YAML, %TAG) change how loaders read the file. Remove them; the language is YAML 1.2."),
    "RC116": Rule("rewritten by git", "An attribute (filter, ident, working-tree-encoding, eol=crlf) makes git write another content into the working tree than it keeps and shows in a pull request. What is reviewed has to be what is applied, so definitions may have none of these: take them from .gitattributes for connectors/ and policies/."),
    "RC117": Rule("definition that is not read", "A file holds a definition and is not read: it lies outside of connectors/ and policies/, in a folder whose name begins with a dot, or its name does not end with .yaml or .yml. Move or rename it, or take out apiVersion. A plan that would delete the record that such a file defines stops.", _WARNING),
    "RC118": Rule("too many faults", f"Of one file {MAX_FAULTS} faults are told; the rest of it is not looked at. Mend these first."),
    "RC119": Rule("merge that is not resolved", "The lines <<<<<<<, ======= and >>>>>>> are git's, around the two sides of a merge that nobody has resolved. Keep what is to stay, and remove the lines."),
    "RC120": Rule("placeholder that is not quoted", "A value that begins with {{ is a mapping to YAML. Put the whole value in quotes."),
    "RC121": Rule("documents that are not separated", "Keys such as apiVersion and kind stand again in the same document. Between two documents there has to be a line that holds --- and nothing else."),
    # the schema
    "RC201": Rule("unknown key", "The schema of the kind does not know this key here. `explain KIND.path` shows the keys that it knows."),
    "RC202": Rule("missing key", "The schema of the kind asks for this key. `explain KIND.path` shows what belongs there."),
    "RC203": Rule("wrong type", "The value has another type than the schema asks for. The language is YAML 1.2, where yes, no, on and off are texts."),
    "RC204": Rule("value not allowed", "The schema lists the values that may stand here."),
    "RC205": Rule("wrong form", "The text does not have the form that the schema asks for."),
    "RC206": Rule("out of bounds", "The value is too short, too long, too small or too large."),
    "RC207": Rule("repeated item", "The items of this list must differ from one another."),
    "RC208": Rule("unknown kind", "The kinds are Category, Connector, Group, PermissionPolicy and AccessTest."),
    "RC209": Rule("schema violation", "The document does not agree with the schema of its kind."),
    "RC210": Rule("literal secret", "A secret stands in the file where a reference belongs. Replace it by {env: NAME} or {file: path}, and treat the value as leaked: it is in git's history once committed."),
    "RC211": Rule("impossible date", "The date or time does not exist."),
    "RC212": Rule("members left out", "Without any list of members all that git has listed would be removed; an empty list says that this is meant."),
    "RC213": Rule("character that no store keeps", "Databases such as PostgreSQL keep texts without the character U+0000, and end a text there or refuse it. No store takes it, so that a definition means the same in each."),
    # across documents
    "RC301": Rule("unknown reference", "The resource that is referred to is not defined in the repository."),
    "RC302": Rule("duplicate address", "Two documents declare the same kind and name."),
    "RC303": Rule("duplicate display name", "Display names are unique within a kind, without regard to case and accents, because people tell resources apart by them."),
    "RC304": Rule("contradictory rename", "A name listed under `previously` is still defined, or two resources claim it. Resources may trade their names: then each lists what the next one is called now."),
    "RC305": Rule("groups contain each other", "A group may not contain itself, directly or through other groups."),
    "RC306": Rule("wrong directory", "Categories and connectors live under connectors/, groups and policies under policies/, so that reviewers can be required by directory."),
    # secrets and mustache
    "RC309": Rule("permission that its scope leaves nothing of", "A grant on connectors by name is about these connectors alone, and one on categories about connectors and categories: other permissions have no effect in it. Nor has `connectors:create` on a connector that is there.", _WARNING),
    "RC401": Rule("looks like a secret", "The value has the form of a known token or private key. Replace it by a secret reference, and treat it as leaked."),
    "RC402": Rule("credentials in a URL", "A URL may not carry a user and password. Use authorization, with secret references."),
    "RC403": Rule("literal secret in a header or parameter", "Headers and parameters of this name carry credentials. Give {env: NAME} or {file: path} as value, or use authorization."),
    "RC404": Rule("reference to keys of the tool", "The keys and settings of reconciler (RECONCILER_*, .reconciler/, the store and its key), git's files and those of the running system are nobody's secret: whoever writes a definition chooses where its secrets are sent."),
    "RC405": Rule("reference out of bounds", "The target's `secretsAllowed` in reconciler.yaml says what secret references may lead to, and this one leads elsewhere. No apply would read it."),
    "RC406": Rule("user with a colon", "Basic authorization sends user:password, so that a server takes what stands behind the first colon of a user for the beginning of the password."),
    "RC407": Rule("authorization that there is not", "An endpoint's `authorization` is `none`, which sends no credentials, or a name of `spec.authorizations`; none of these may be called `none`."),
    "RC408": Rule("authorization that no endpoint carries", "A further authorization is carried by the endpoints that name it. Of one that none names nothing is sent, and no token is fetched.", _WARNING),
    "RC411": Rule("credentials in a query", "Whoever reads the definition reads them, and so do logs and proxies. Make it an entry of `params` with a secret reference: the URL is then put together when a call is made."),
    "RC412": Rule("password in the URL of a store", "Whoever reads reconciler.yaml reads it, and so do logs. Take it out, and treat it as leaked. `password` of the target says where it is read from; the environment may hold it too, as PGPASSWORD or PGPASSFILE. For a ProcessMaker instance `token` or `login` says it."),
    "RC501": Rule("mustache does not parse", "The template is not well-formed mustache: a tag is not closed, or sections do not match."),
    "RC502": Rule("placeholder in a token request", "Tokens are fetched without a caller's data, so no token can be fetched from a URL with placeholders; elsewhere in the request they are sent as they stand.", _WARNING),
    "RC503": Rule("URL that cannot be sent", "Every call of the endpoint would be refused, whatever its placeholders are filled with: a URL holds no blanks, backslashes, line breaks or control characters, and has a host, and a port between 1 and 65535 if any."),
    "RC504": Rule("body that is not what its header says", "The Content-Type among the headers and `bodyType` name two forms of body. For form-urlencoded and multipart the body is a JSON object with a key for each field, and the header is added by itself; raw sends a body as it is, with the header."),
    "RC505": Rule("raw body without a Content-Type", "A raw body is sent as it is, and without the header a server has to guess what it is. Most refuse it.", _WARNING),
    "RC506": Rule("placeholder of another language", "Templates are mustache: {{name}}. {name}, ${name} and <name> are nothing to it, and would be sent as they stand. Braces that are meant are written %7B and %7D."),
    "RC507": Rule("perhaps a placeholder", "Templates are mustache: {{name}}. This looks like a placeholder of another language, and is sent as it stands.", _WARNING),
    "RC508": Rule("body that is not JSON", "Whatever its placeholders are filled with, the body is no JSON, so that every call is refused; that of a form is a JSON object, a key for each field. Another kind of body needs bodyType: raw, or its Content-Type among the headers."),
    "RC509": Rule("sample that nothing uses", "No template of the connector has a placeholder of this name, so the value is never sent: it is left over, or its name is misspelt.", _WARNING),
    "RC510": Rule("placeholder without a sample", "The sample is what a test call sends, and it lacks a value that the URL, the body or a required entry wants. A call with the sample alone is refused.", _WARNING),
    "RC511": Rule("gap that an import left", "What looked like a secret in the imported document was not copied. Until somebody says what belongs there, calls send the gap.", _WARNING),
    "RC512": Rule("header stands twice", "The header may be sent once only, or the second one says the same as the first. Servers take the first, the last or neither.", _WARNING),
    "RC513": Rule("header of the transport", "Host, Content-Length, Connection and Transfer-Encoding follow from the URL and the body. A call with such a header of its own is refused."),
    # lint
    "RC601": Rule("TLS verification off without a reason", "Without verification anyone on the way can read the credentials. If it must be, `tls.reason` tells reviewers why."),
    "RC602": Rule("TLS verification off", "Without verification anyone on the way can read the credentials.", _WARNING),
    "RC603": Rule("inactive category in use", "The category is inactive: connectors should not be filed under it.", _WARNING),
    "RC604": Rule("permission without view", "create, edit, delete and call each need view as well; without it the grant has no effect unless another policy gives view.", _WARNING),
    "RC605": Rule("credentials over plain http", "Over http:// anyone on the way can read the credentials. Use https://, unless the host is this machine. Where a server speaks nothing else, `tls.allowPlainHttp` accepts it for one connector, with a reason."),
    "RC606": Rule("authority without verification", "`tls.ca` says whom to trust, and `verify: false` not to look. With the authority verification can stay on.", _WARNING),
    "RC607": Rule("grant has ended", "The grant gives nothing any more. `apply` takes it out of the live policy; remove it, or give it another end.", _WARNING),
    "RC608": Rule("policy gives nothing", "A policy without grants that makes no super admins gives its subjects nothing. An empty list says that this is meant.", _WARNING),
    "RC609": Rule("plain http without a reason", "Over http:// anyone on the way can read the credentials. If it must be, `tls.reason` tells reviewers why."),
    "RC610": Rule("plain http allowed", "Over http:// anyone on the way can read the credentials.", _WARNING),
    "RC611": Rule("field or header that a token request cannot take", "The request has a field or header of that name already, from another key of the authorization or because HTTP needs it, or its value cannot be sent."),
    "RC701": Rule("access that is missing", "An access test expects that somebody can do something, and no policy grants it."),
    "RC702": Rule("access that should not be", "An access test expects that somebody cannot do something, and a policy grants it."),
    "RC703": Rule("more people than expected have access", "An access test says how many people may hold a permission at most."),
    "RC704": Rule("duties are not separated", "An access test names permissions of which nobody may hold two, and somebody does."),
    "RC705": Rule("expectation about somebody unknown", "No policy and no group names this user, but one whose name is much alike. An expectation about a misspelt name may never fail.", _WARNING),
    "RC706": Rule("grant that no test explains", "No expectation of an access test rests on this grant, so nobody would notice that it went, or why it is there.", _WARNING),
    "RC707": Rule("keys of an expectation that do not fit", "An expectation is `user` or `group` with `can` or `cannot`; or `can` with `atMost`; or `separationOfDuty`. `on` names a resource that its permissions are about."),
    # connectors beside the document that `contract` names
    "RC801": Rule("contract that cannot be read", "`spec.contract` names an OpenAPI 3 or Swagger 2.0 document of the repository, by its path from the root: a regular file, reached through no link. It is read at the same revision as the definitions."),
    "RC802": Rule("endpoint that the contract does not have", "The document has the operation elsewhere by now, or the path without this method: no call can succeed. `import openapi DOC --update NAME` brings the definition up to the document."),
    "RC803": Rule("server that the contract does not name", "The document has the path, but at another server or below another base path.", _WARNING),
    "RC804": Rule("what the contract requires is missing", "The document requires a parameter, a header or a body that the endpoint never sends: the server refuses the call."),
    "RC805": Rule("parameter that differs from the contract", "The document does not know the parameter or header, requires it always, or writes lists and objects of it otherwise.", _WARNING),
    "RC806": Rule("body that differs from the contract", "The document takes another media type, requires fields that the body lacks, or does not know some that it has.", _WARNING),
    "RC807": Rule("authorization that differs from the contract", "The document asks for another way of authorization, or for none.", _WARNING),
    "RC808": Rule("deprecated operation", "The document says that this operation is going to be removed.", _WARNING),
    "RC809": Rule("endpoint that the contract does not describe", "The document has no such path, and no operation of the endpoint's name: it dropped it, or the endpoint is your own. `import openapi DOC --update NAME` tells which, and removes an untouched one that was dropped.", _WARNING),
    # what the live store of a target cannot hold; looked for by `validate --target`, and by each plan for it
    "RC901": Rule("display name that the target refuses", "ProcessMaker takes letters and digits of any script, blanks and - _ . ' in the names of connectors, categories and groups, and refuses all else. The name of the definition, `metadata.name`, is kept beside it and is free."),
    "RC902": Rule("text that the target would change", "ProcessMaker drops markup and double braces from descriptions, takes blanks off the ends of texts, and makes nothing of empty ones. What it holds would not be what is declared, and no apply would ever change that."),
    "RC903": Rule("field that the target has no place for", "The live store of the target has no such field, so that nobody would see there what is written here. A comment or a label says it to those who read the definitions."),
    "RC904": Rule("user that the target cannot have", "ProcessMaker's user names have 2 to 255 letters, digits and . ! # $ * + = ^ _ ` | ~ - @, without regard to case: nobody can be called like that."),
    "RC905": Rule("display name that the target takes for another", "The target's database compares display names more coarsely than `validate` does for every target (RC303): it would refuse the second one."),
    "RC906": Rule("authorization that the target does not know", "A connector of ProcessMaker has one authorization for all endpoints: none, a user and a password, a token, or the OAuth 2.0 password grant with the client in the body and nothing else. What goes beyond it would never be sent."),
    "RC907": Rule("token that nobody renews", "ProcessMaker cannot fetch this token itself. An apply fetches one and writes it there, and when it expires every call fails, until somebody renews it: run `reconciler token renew` on a schedule that is shorter than the token's life, and say so in the target, `processmaker: {tokenRenewal: scheduled}`."),
    "RC908": Rule("TLS setting that the target does not know", "A connector of ProcessMaker verifies certificates or does not. Authorities of its own and client certificates it has none; the instance's server, or a proxy beside it, may have them for all."),
    "RC909": Rule("endpoint name that the target loses", "ProcessMaker keeps endpoints in a map whose names it takes for the numbers of a list where all are numbers. Whoever calls an endpoint names it, so that the name has to stay."),
    "RC910": Rule("part of a request that the target cannot send", "ProcessMaker writes values into URLs, headers and bodies as they are, and sends JSON, raw and form-urlencoded bodies. Styles and multipart forms it knows none of."),
    "RC911": Rule("grant that the target cannot give", "ProcessMaker's permissions are bare names that a group has for a whole instance: no connector or category narrows them. Those to call connectors and to manage policies do not exist there, and those of a single user cannot be read."),
    "RC912": Rule("end of a grant that the target does not keep", "Permissions do not end by themselves in ProcessMaker: the first apply after the end takes them back. Where applies run on a schedule that is good enough, the target says so: `processmaker: {expiry: byApply}`."),
    "RC913": Rule("permission that the instance does not have", "The instance was asked what permissions it has, by `store check`, and none of them means this one. It comes with a package, or with a later version."),
    "RC914": Rule("secret that the target shows", "ProcessMaker encrypts credentials, and nothing else: whoever may view connectors reads the values of headers and parameters, in lists and in exported files. Use `authorization`, or say in the target that this is accepted: `processmaker: {allowSecretsInEndpoints: true}`."),
    "RC915": Rule("without effect in the version of the instance", "By what `store check` found out, the instance is of a version that keeps this and does not go by it: timeouts and retries came in 2023, and before mid-2021 members of a group in a group got no rights from it.", _WARNING),
}  # fmt: skip


class FaultyDefinitions(Exception):
    """The cause of a failure: what was found wrong.

    Attributes:
        diagnostics: sorted.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("definitions are not valid")
        self.diagnostics = diagnostics


def sorted_diagnostics(found: list[Diagnostic]) -> list[Diagnostic]:
    """`found` without repeats, by file, line and column."""
    return sorted(set(found), key=Diagnostic.sort_key)


def has_errors(found: Iterable[Diagnostic]) -> bool:
    """Whether any of `found` is an error."""
    return any(item.severity is Severity.ERROR for item in found)
