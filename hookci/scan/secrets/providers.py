"""The issuers whose tokens say themselves whose they are, in their documentation's words for the form."""

from __future__ import annotations

import re

from msgspec import Struct

from hookci.model.finding import Severity

__all__ = ["PROVIDERS", "Provider"]


class Provider(Struct, frozen=True):
    """A kind of token.

    ``begins`` are the literals of which one has to be there before anything else is tried, ``shape`` is matched
    ``back`` bytes before it at the earliest; its group ``secret``, or all of it, is the secret.  ``least`` is the least
    entropy in bits per byte.  ``source`` is where the form is documented.
    """

    rule: str
    name: str
    begins: tuple[bytes, ...]
    shape: re.Pattern[bytes]
    source: str
    back: int = 0
    least: float = 2.8
    severity: Severity = Severity.CRITICAL


def _one(rule: str, name: str, begins: str, shape: str, source: str) -> Provider:
    """A row of the table; ``shape`` is what follows the prefix, with no more of its kind behind it."""
    prefixes = tuple(begins.encode().split(b" "))
    head = b"|".join(map(re.escape, prefixes))
    return Provider(
        rule, name, prefixes, re.compile(b"(?:" + head + b")" + shape.encode() + rb"(?![A-Za-z0-9])"), source
    )


_START = rb"(?:(?<!\w)|(?<=\\[nrt]))"
"""Of a word, also after an escape in a string."""
_HEX_64 = "[0-9a-f]{64}"
_TABLE = (
    _one("aws-access-key-id", "an AWS access key id", "AKIA ASIA ABIA ACCA", "[A-Z2-7]{16}",
         "AWS IAM user guide, Understanding unique ID prefixes"),
    _one("github-token", "a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", "[A-Za-z0-9]{36,255}",
         "GitHub blog, Behind GitHub's new authentication token formats (2021)"),
    _one("github-token", "a GitHub fine-grained token", "github_pat_", "[A-Za-z0-9_]{60,255}",
         "GitHub docs, About authentication to GitHub"),
    _one("gitlab-token", "a GitLab token", "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glagent- glimt- gloas-",
         r"[A-Za-z0-9_\-]{20,300}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?", "GitLab docs, Token overview, Token prefixes"),
    _one("slack-token", "a Slack token", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xoxe. xoxc- xoxd- xapp-",
         r"[A-Za-z0-9%][A-Za-z0-9%.\-]{9,250}", "Slack docs, Tokens"),
    _one("slack-webhook", "a Slack webhook",
         "hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/",
         "[A-Z0-9]{8,12}/[A-Z0-9]{8,20}/[A-Za-z0-9/]{16,80}", "Slack docs, Sending messages using incoming webhooks"),
    _one("stripe-key", "a Stripe live key", "sk_live_ rk_live_", "[A-Za-z0-9]{16,247}", "Stripe docs, API keys"),
    _one("stripe-webhook-secret", "a Stripe webhook secret", "whsec_", "[A-Za-z0-9+/]{32,64}=?",
         "Stripe docs, Webhooks"),
    _one("google-api-key", "a Google API key", "AIza", r"[A-Za-z0-9_\-]{35}", "Google Cloud docs, API keys"),
    _one("google-oauth-secret", "a Google OAuth client secret", "GOCSPX-", r"[A-Za-z0-9_\-]{28}",
         "Google Cloud docs, Manage OAuth clients"),
    _one("google-oauth-token", "a Google OAuth access token", "ya29.", r"[A-Za-z0-9_\-]{40,400}",
         "Google Identity docs"),
    _one("anthropic-key", "an Anthropic API key", "sk-ant-", r"[a-z]{3,8}[0-9]{2}-[A-Za-z0-9_\-]{40,140}",
         "Anthropic docs, API keys"),
    _one("openai-key", "an OpenAI API key", "sk-proj- sk-svcacct- sk-admin- sk-None-", r"[A-Za-z0-9_\-]{40,200}",
         "OpenAI docs, Production best practices"),
    _one("openai-key", "an API key of the form OpenAI's have", "sk-",
         "(?:[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{48}|[0-9a-f]{32}|or-v1-[0-9a-f]{64})",
         "OpenAI and OpenRouter docs, API keys"),
    _one("npm-token", "an npm token", "npm_", "[A-Za-z0-9]{36}", "GitHub blog, npm's new access token format (2021)"),
    _one("pypi-token", "a PyPI token", "pypi-AgEIcHlwaS5vcmc pypi-AgENdGVzdC5weXBpLm9yZ", r"[A-Za-z0-9_\-]{50,1000}",
         "PyPI help, API tokens (a macaroon of pypi.org in base 64)"),
    _one("sendgrid-key", "a SendGrid API key", "SG.", r"[A-Za-z0-9_\-]{20,24}\.[A-Za-z0-9_\-]{39,50}",
         "SendGrid docs, API keys"),
    _one("twilio-key", "a Twilio API key", "SK", "[0-9a-f]{32}", "Twilio docs, API keys (the SID's prefix)"),
    _one("digitalocean-token", "a DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_",
         _HEX_64, "DigitalOcean API reference"),
    _one("azure-storage-key", "an Azure storage key", "AccountKey= SharedAccessKey=",
         "(?P<secret>[A-Za-z0-9+/]{43}(?:[A-Za-z0-9+/]{43}=)?=)", "Azure docs, Configure connection strings"),
    _one("heroku-key", "a Heroku API key", "HRKU-", r"[A-Za-z0-9_\-]{36,80}", "Heroku platform API reference"),
    _one("shopify-token", "a Shopify token", "shpat_ shpca_ shppa_ shpss_", "[0-9a-fA-F]{32}",
         "Shopify changelog (2020)"),
    _one("square-token", "a Square token", "sq0atp- sq0csp-", r"[A-Za-z0-9_\-]{22,43}", "Square docs, Access tokens"),
    _one("mailgun-key", "a Mailgun key", "key-", "[0-9a-f]{32}", "Mailgun docs, Authentication"),
    _one("databricks-token", "a Databricks token", "dapi", "[0-9a-f]{32}(?:-[0-9])?", "Databricks docs, Access tokens"),
    _one("huggingface-token", "a Hugging Face token", "hf_ api_org_", "[A-Za-z0-9]{34,40}",
         "Hugging Face docs, User access tokens"),
    _one("vault-token", "a Vault token", "hvs. hvb. hvr.", r"[A-Za-z0-9_\-]{24,300}",
         "Vault docs, Tokens, Token prefixes"),
    _one("docker-token", "a Docker token", "dckr_pat_ dckr_oat_", r"[A-Za-z0-9_\-]{27,64}",
         "Docker docs, Personal access tokens"),
    _one("grafana-token", "a Grafana token", "glsa_", "[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}",
         "Grafana docs, Service accounts"),
    _one("grafana-token", "a Grafana Cloud token", "glc_eyJ", "[A-Za-z0-9+/]{30,400}={0,2}",
         "Grafana Cloud docs, Access policies"),
    _one("new-relic-key", "a New Relic key", "NRAK-", "[A-Z0-9]{27}", "New Relic docs, API keys"),
    _one("discord-webhook", "a Discord webhook", "discord.com/api/webhooks/ discordapp.com/api/webhooks/",
         r"[0-9]{17,20}/[A-Za-z0-9_\-]{60,70}", "Discord docs, Webhook resource"),
    _one("teams-webhook", "a Teams webhook", "webhook.office.com/webhookb2/",
         r"[0-9a-f\-]{36}@[0-9a-f\-]{36}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f\-]{36}",
         "Microsoft Teams docs, Webhooks"),
    _one("age-key", "an age secret key", "AGE-SECRET-KEY-1", "[0-9A-Z]{58}", "age-encryption.org/v1"),
    _one("atlassian-token", "an Atlassian token", "ATATT3 ATCTT3", r"[A-Za-z0-9_\-=]{100,250}",
         "Atlassian support, API tokens"),
    _one("bitbucket-token", "a Bitbucket app password", "ATBB", "[A-Za-z0-9]{32}", "Atlassian support, App passwords"),
    _one("linear-key", "a Linear key", "lin_api_", "[A-Za-z0-9]{40}", "Linear docs, API"),
    _one("notion-token", "a Notion token", "ntn_", "[A-Za-z0-9]{43,46}", "Notion docs, Authorization"),
    _one("postman-key", "a Postman key", "PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}", "Postman docs, API keys"),
    _one("pulumi-token", "a Pulumi token", "pul-", "[0-9a-f]{40}", "Pulumi docs, Access tokens"),
    _one("rubygems-key", "a RubyGems key", "rubygems_", "[0-9a-f]{48}", "RubyGems guides, API key scopes"),
    _one("sentry-token", "a Sentry token", "sntryu_", _HEX_64, "Sentry docs, Auth tokens"),
    _one("sentry-token", "a Sentry organisation token", "sntrys_eyJ", "[A-Za-z0-9+/=_]{80,400}",
         "Sentry docs, Auth tokens"),
    _one("planetscale-token", "a PlanetScale secret", "pscale_tkn_ pscale_pw_ pscale_oauth_",
         r"[A-Za-z0-9_\-.=]{32,64}",
         "PlanetScale docs, Service tokens"),
    _one("supabase-token", "a Supabase token", "sbp_ sb_secret_", "[A-Za-z0-9_]{31,48}", "Supabase docs, API keys"),
    _one("replicate-token", "a Replicate token", "r8_", "[A-Za-z0-9]{37}", "Replicate docs, API tokens"),
    _one("perplexity-key", "a Perplexity key", "pplx-", "[A-Za-z0-9]{48,64}", "Perplexity docs"),
    _one("groq-key", "a Groq key", "gsk_", "[A-Za-z0-9]{52}", "Groq docs, API keys"),
    _one("xai-key", "an xAI key", "xai-", "[A-Za-z0-9]{80}", "xAI docs"),
    _one("figma-token", "a Figma token", "figd_", r"[A-Za-z0-9_\-]{38,48}", "Figma docs, Personal access tokens"),
    _one("netlify-token", "a Netlify token", "nfp_", "[A-Za-z0-9]{36,40}", "Netlify docs"),
    _one("tailscale-key", "a Tailscale key", "tskey-auth- tskey-api- tskey-client-",
         r"[A-Za-z0-9]{8,24}-[A-Za-z0-9]{20,64}",
         "Tailscale docs, Key prefixes"),
    _one("1password-token", "a 1Password service account token", "ops_eyJ", "[A-Za-z0-9+/]{200,2000}={0,3}",
         "1Password docs, Service accounts"),
    _one("doppler-token", "a Doppler token", "dp.pt. dp.st. dp.sa. dp.ct.", r"[A-Za-z0-9.\-_]{40,60}",
         "Doppler docs, Token formats"),
    _one("terraform-token", "a Terraform Cloud token", ".atlasv1.", r"[A-Za-z0-9_\-=]{60,70}",
         "HCP Terraform docs, API tokens"),
    _one("fly-token", "a Fly.io token", "fm2_", r"[A-Za-z0-9+/]{100,1000}={0,3}", "Fly.io docs, Access tokens"),
    _one("alibaba-key-id", "an Alibaba Cloud access key id", "LTAI", "[A-Za-z0-9]{20}",
         "Alibaba Cloud docs, AccessKey pair"),
    _one("jfrog-key", "an Artifactory key", "AKCp", "[A-Za-z0-9]{69}", "JFrog docs, API key"),
)  # fmt: skip
_OTHERS = (
    Provider("telegram-token",
         "a Telegram bot token", (b":AA",), re.compile(_START + rb"[0-9]{8,10}:AA[\w\-]{33}(?![\w\-])"),
             "Telegram Bot API, Authorizing your bot", back=10),
    Provider("mailchimp-key", "a Mailchimp key", (b"-us",), re.compile(_START + rb"[0-9a-f]{32}-us[0-9]{1,2}(?!\w)"),
             "Mailchimp docs, API keys", back=32),
    Provider("azure-client-secret", "an Azure client secret", (b"Q~",),
             re.compile(_START + rb"(?<![~.\-])[\w~.\-]{3}[0-9]Q~[\w~.\-]{31,34}(?![\w~.\-])"),
             "Microsoft Purview, Azure AD client secret", back=4, least=3.3),
    Provider("jwt", "a JSON web token", (b"eyJ",),
             re.compile(rb"eyJ[\w\-]{10,4000}\.eyJ[\w\-]{10,8000}\.[\w\-]{20,1000}"),
         "RFC 7519", severity=Severity.HIGH),
)  # fmt: skip
PROVIDERS: tuple[Provider, ...] = (*_TABLE, *_OTHERS)
"""What is known of tokens; the more telling before the less."""
