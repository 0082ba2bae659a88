"""What the table of docs/performance.md tells: kinds of work, what each is set beside, and what bounds it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of work.

    Attributes:
        beside: cases, each with what ours is compared with in it.
        limit: what bounds the work, with `{}` for how far that is, and the case that tells; "" for none.
        missed: why a goal is not met, and what would be next; every goal that is missed has to have it.
    """

    section: str
    work: str
    beside: tuple[tuple[str, str], ...]
    limit: str = ""
    limit_case: str = ""
    missed: str = ""


STATUS = "`git status`"
ROWS = (
    Row(
        "plans",
        "plan of a commit, nothing to do in 10,000",
        (("plan-nothing-10k-commit-python", "`python -c pass`"),),
        "start of Python, one git, two rows of the store; {} times the least program",
        "plan-nothing-10k-commit-limit",
    ),
    Row(
        "plans",
        "plan of a commit, 1 change in 10,000",
        (
            ("plan-one-10k-commit-python", "`python -c pass`"),
            ("plan-one-10k-octodns", "`octodns-sync`, records a tenth as large"),
            ("plan-one-10k-terraform", "`terraform plan`"),
        ),
        "the same, and one file parsed and judged by its schema; {} times the least program",
        "plan-one-10k-commit-limit",
        missed="loading yaml-rs, jsonschema-rs and sqlite3 takes three and a half starts of Python, and the least program itself misses it; next: fewer modules of our own, and a schema check that loads less",
    ),
    Row(
        "plans",
        "plan of a commit, 1 change in 100,000",
        (("plan-one-100k-1k-commit", "the same in 1,000"),),
        "git compares longer lists of folders; the least program's ratio is {}",
        "plan-one-100k-1k-limit",
    ),
    Row(
        "plans",
        "what a plan of the working tree takes more",
        (("plan-one-10k-status", STATUS + ", 10,000"), ("plan-one-100k-status", STATUS + ", 100,000")),
        "git looks at every file; the ratio itself tells, 1 would be the limit",
    ),
    Row(
        "plans",
        "full plan, 1 change in 10,000, nothing cached",
        (("plan-full-10k-octodns", "`octodns-sync`"), ("plan-full-10k-terraform", "`terraform plan`")),
        "every file read, parsed, judged and compared; {} times the least program",
        "plan-full-10k-limit",
        missed="Terraform took two thirds of the time that the goal was set by; next: fewer passes over each file before it is parsed",
    ),
    Row(
        "plans",
        "full plan, 1 change in 1,000, nothing cached",
        (("plan-full-1k-plain", "the same job written plainly: ruamel.yaml, jsonschema, pydantic"),),
    ),
    Row(
        "plans",
        "first plan, 10,000 new",
        (("plan-first-10k-octodns", "`octodns-sync`, 10,000 new"),),
        missed="octoDNS has nothing live to read then; next: lines of new records without decoding their bodies",
    ),
    Row(
        "plans",
        "full plan, 100,000",
        (("plan-full-100k-1k", "the same of 1,000"),),
        "every file read, parsed, judged and compared; the least program's exponent is {}",
        "plan-full-100k-1k-limit",
        missed="that of all processes together, while that of the largest grows 2.8 times: 0.6 KB for each file in the one that plans, and its path in each of the workers; next: paths dealt to workers as they go",
    ),
    Row(
        "plans",
        "plan of the working tree, 1 change in 10,000",
        (("plan-one-10k-full", "`plan --full`, with all cached that can be"),),
    ),
    Row(
        "drift",
        "`drift` of 100,000 records",
        (("drift-100k-plan", "plan of nothing"), ("drift-100k-select", "a bare `SELECT` of all fingerprints")),
        "start of Python, and the records that moved: none; {} times `python -c pass`",
        "drift-100k-python",
    ),
    Row(
        "validation",
        "cold `validate`, 10,000 files, every check",
        (
            ("validate-10k-sourcemeta", "`jsonschema validate` (native, C++)"),
            ("validate-10k-sourcemeta-fast", "`jsonschema validate --fast`"),
            ("validate-10k-ajv", "`ajv validate` (JavaScript)"),
        ),
        "every file read, parsed and judged; {} times the least program",
        "validate-10k-limit",
        missed="what the fast mode does not do: disputed YAML, tokens, references, and keeping what was read for the next time; next: one pass for both guards",
    ),
    Row("validation", "cold `validate`, 1,000 files", (("validate-1k-check-jsonschema", "`check-jsonschema`"),)),
    Row(
        "validation",
        "warm `validate`, 10,000 files",
        (("validate-10k-warm", "cold `validate`"),),
        "every file read and hashed; {} times `git status`, which looks at them alone",
        "validate-10k-warm-status",
    ),
    Row(
        "validation",
        "`validate --changed-since` the commit before, 10,000 files",
        (("validate-10k-since", "cold `validate`"),),
    ),
    Row(
        "validation",
        "`validate`, 100 faulty files in 10,000",
        (("validate-10k-bad", "none faulty"),),
        missed="jsonschema, which explains faults, takes as long to load as 300 files to read, in each process that finds one; of the processor time it is 1.13 times; next: to explain the common faults without it",
    ),
    Row("validation", "cold `validate`, 100,000 files", (("validate-100k-1k", "the same of 1,000"),)),
    Row(
        "applies",
        "`apply`, 1,000 new",
        (
            ("apply-1k-octodns", "`octodns-sync --doit`, a tenth of the data"),
            ("apply-1k-terraform", "`terraform apply`"),
            ("apply-1k-plain", "the same job written plainly: ruamel.yaml, jsonschema, pydantic"),
        ),
        "every file read, parsed, judged and written; {} times the least program",
        "apply-1k-limit",
        missed="the median of five, between 1/508 and 1/426, and of the processor time 1/521; next: fewer modules at the start",
    ),
    Row(
        "applies",
        "`apply`, 10,000 new",
        (("apply-10k-validate", "cold `validate`"),),
        "the same; {} times the least program",
        "apply-10k-limit",
        missed="validating uses both cores and writing one: of the processor time it is 1.6 times; next: sealing secrets and building rows in a second process",
    ),
    Row(
        "applies",
        "`apply`, 100,000 new, one transaction",
        (("apply-100k-validate", "cold `validate`"),),
        "the same; {} times the least program",
        "apply-100k-limit",
        missed="the same; of the processor time it is 1.49 times",
    ),
    Row(
        "people",
        "10,000 users, 1,000 nested groups, 1,000 policies loaded and 1,000 decisions made",
        (("decide-1k-casbin", "Casbin"), ("decide-1k-cedar", "Cedar")),
    ),
    Row("people", "`authorize`, 1 change in 10,000", (("authorize-one-10k-1k", "the same in 1,000"),)),
    Row(
        "people",
        "`access-diff`, 1 policy changed, 10,000 connectors",
        (("access-diff-10k-validate", "cold `validate` of the connectors"),),
    ),
    Row(
        "calls",
        "`token fetch`, 200 from a server that takes 100 ms, 8 at once",
        (("tokens-200", "just waiting that long"),),
    ),
    Row("calls", "`call`", (("call-httpx", "the same request by httpx alone"),)),
    Row(
        "calls",
        "`--version`",
        (("version", "`python -c pass`"),),
        missed="the script that pip writes loads re before us; `python -m reconciler --version` takes 1.3 times",
    ),
    Row("calls", "`--help`", (("help", "`python -c pass`"),)),
)
SECTIONS = tuple(dict.fromkeys(row.section for row in ROWS))


def names(sections: tuple[str, ...] = SECTIONS) -> frozenset[str]:
    """The cases that the table and its limits are made of."""
    rows = [row for row in ROWS if row.section in sections]
    return frozenset(
        {name for row in rows for name, _ in row.beside} | {row.limit_case for row in rows if row.limit_case}
    )
