"""What variables mean that no option stands for. A test looks for every RECONCILER_ name of the package among them."""

OTHERS = {
    "Of the program alone": {
        "RECONCILER_STORE_KEY": "The key that secrets and tokens are sealed with in the store; 32 characters or more. Wins over the target's `keyFile` and over the file beside the embedded store.",
        "RECONCILER_NEW_STORE_KEY": "The key that `store rotate-key` goes over to; without it a random one.",
        "RECONCILER_SIGN_PASSPHRASE": "The passphrase of the key given to `plan --sign`.",
    },
    "Of stores on servers": {
        "RECONCILER_STORE_HOSTS": "Servers that the project file may have stores on, for commands that only read as well; names with commas or blanks between.",
        "PGPASSWORD, PGPASSFILE": "The password, or the file of passwords, where the target names none; `~/.pgpass` otherwise.",
        "PGHOST, PGPORT, PGUSER, PGSERVICE, PGSERVICEFILE, PGSSLMODE, PGSSLROOTCERT, PG*": "libpq's others, for what the URL does not say.",
    },
    "Of pipelines": {
        "GITHUB_ACTOR, GITLAB_USER_LOGIN": "Who acts, where neither `--as` nor `RECONCILER_AS` says it.",
        "CI": "Where it is set, no progress is drawn.",
        "RECONCILER_TARGET, RECONCILER_PACKAGE, RECONCILER_API_TOKEN": "Read by the pipelines that `init` writes: the target that merges are applied to, what `pip` installs, and GitLab's token that may read approvals.",
    },
    "Of secret backends": {
        "VAULT_ADDR, VAULT_TOKEN, VAULT_ROLE_ID, VAULT_SECRET_ID, VAULT_NAMESPACE, VAULT_CACERT": "Where Vault is and who asks it; the same with `BAO_` for OpenBao.",
        "SOPS_AGE_KEY, SOPS_AGE_KEY_FILE": "The key that `{age: FILE}` is opened with. sops reads its own variables.",
        "AWS_*": "boto3's usual ones.",
    },
    "Of the network": {
        "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY": "The HTTP proxy that requests go through.",
        "NO_PROXY": "Hosts that are asked without it: `example.com` (with all below it), `10.0.0.0/8`, `[fd00::1]:8443`, `*`.",
        "SSL_CERT_FILE, SSL_CERT_DIR": "Certificates of the authorities that are trusted where `tls.ca` names none.",
    },
    "Of the machine": {
        "XDG_CACHE_HOME": "Where files that were read are kept, in `reconciler/parsed`; else `~/.cache`.",
        "NO_COLOR, TERM": "No colour where `NO_COLOR` is set or `TERM` is `dumb`.",
        "USER, LOGNAME": "Noted in the history where nobody said who acts. They are not asked when permissions are judged.",
    },
}
