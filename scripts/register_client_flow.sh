#!/bin/sh
# Registers a client over the management API and uses it, with curl alone: a management token, a client, a grant of
# read:users, a token as that client, a list of users with it, and a refusal of what was not granted. Each answer is
# checked; at the first difference the script stops with exit code 1. What it made is removed again, also on failure.
#
#   SEKISHO_URL                  base URL of the server, https://localhost:8480
#   SEKISHO_ADMIN_CLIENT_ID      a client that may manage clients, grants and users
#   SEKISHO_ADMIN_CLIENT_SECRET
#   SEKISHO_CA                   optional: certificate authority (PEM) to trust, ca.pem of SEKISHO_HTTPS=local
set -eu

: "${SEKISHO_URL:?set it to the base URL of the server}"
: "${SEKISHO_ADMIN_CLIENT_ID:?set it to the id of a management client}"
: "${SEKISHO_ADMIN_CLIENT_SECRET:?set it to the secret of that client}"

url=${SEKISHO_URL%/}
audience=$url/api/v2/
umask 077
work=$(mktemp -d)
client_id=
grant_id=
admin_token=
status=
body=

say() { printf '%s\n' "$*"; }

fail() {
  say "FAILED: $*" >&2
  exit 1
}

# quote TEXT: the text as a JSON string.
quote() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }

# field NAME: the text of a member of the last answer's body; nothing when it is not there.
field() { printf '%s' "$body" | sed -n "s/.*\"$1\" *: *\"\\([^\"]*\\)\".*/\\1/p"; }

# call METHOD PATH TOKEN [JSON]: sets status and body. Tokens and secrets go through files, for the arguments of a
# process are for everybody to read.
call() {
  set -- "$1" "$2" "$3" "${4-}"
  {
    printf 'request = "%s"\nurl = "%s%s"\n' "$1" "$url" "$2"
    if [ -n "$3" ]; then printf 'header = "Authorization: Bearer %s"\n' "$3"; fi
    if [ -n "$4" ]; then
      printf '%s' "$4" >"$work/request"
      printf 'header = "Content-Type: application/json"\ndata-binary = "@%s/request"\n' "$work"
    fi
    if [ -n "${SEKISHO_CA-}" ]; then printf 'cacert = "%s"\n' "$SEKISHO_CA"; fi
  } >"$work/curl"
  status=$(curl --silent --show-error --max-time 30 --config "$work/curl" --output "$work/answer" --write-out '%{http_code}') ||
    fail "$1 $url$2 was not answered."
  body=$(cat "$work/answer" 2>/dev/null || true)
  rm -f "$work/answer"
}

# expect STATUS WHAT: the last answer has this status.
expect() { [ "$status" = "$1" ] || fail "$2: expected status $1, got $status: $body"; }

# token ID SECRET: asks for a token at the management audience.
token() {
  call POST /oauth/token '' "{\"grant_type\":\"client_credentials\",\"client_id\":$(quote "$1"),\"client_secret\":$(quote "$2"),\"audience\":$(quote "$audience")}"
}

clean_up() {
  code=$?
  trap - EXIT
  for thing in ${grant_id:+client-grants/$grant_id} ${client_id:+clients/$client_id}; do
    if (call DELETE "/api/v2/$thing" "$admin_token" && expect 204 "deleting $thing"); then
      say "Cleaned up: $thing is deleted."
    else
      say "Left behind: $thing. Delete it by hand." >&2
      code=1
    fi
  done
  rm -rf "$work"
  [ "$code" = 0 ] && say 'All steps passed.'
  exit "$code"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

token "$SEKISHO_ADMIN_CLIENT_ID" "$SEKISHO_ADMIN_CLIENT_SECRET"
expect 200 'asking for a management token'
admin_token=$(field access_token)
[ -n "$admin_token" ] || fail 'the token answer has no access_token.'
say "1. Got a management token as $SEKISHO_ADMIN_CLIENT_ID."

call POST /api/v2/clients "$admin_token" '{"name":"register_client_flow","app_type":"non_interactive"}'
expect 201 'creating a client'
client_id=$(field client_id)
client_secret=$(field client_secret)
[ -n "$client_id" ] && [ -n "$client_secret" ] || fail 'the new client has no client_id or no client_secret.'
say "2. Created the client $client_id; its secret was in the answer, once."

call POST /api/v2/client-grants "$admin_token" "{\"client_id\":$(quote "$client_id"),\"audience\":$(quote "$audience"),\"scope\":[\"read:users\"]}"
expect 201 'creating a grant'
grant_id=$(field id)
[ -n "$grant_id" ] || fail 'the new grant has no id.'
case $body in *'"scope":["read:users"]'*) ;; *) fail "the grant has other scopes than read:users: $body" ;; esac
say "3. Granted it read:users at $audience ($grant_id)."

token "$client_id" "$client_secret"
expect 200 'asking for a token as the new client'
client_token=$(field access_token)
[ -n "$client_token" ] || fail 'the token answer has no access_token.'
[ "$(field scope)" = read:users ] || fail "the token has other scopes than read:users: $(field scope)"
say '4. Got a token as that client; its scope is read:users.'

call GET '/api/v2/users?per_page=1' "$client_token"
expect 200 'listing users'
case $body in '['*']') ;; *) fail "the users are no list: $body" ;; esac
say '5. Listed users with it.'

email="flow-$client_id@example.com"
call POST /api/v2/users "$client_token" "{\"connection\":\"Username-Password-Authentication\",\"email\":$(quote "$email")}"
expect 403 'creating a user without the scope'
[ "$(field errorCode)" = insufficient_scope ] || fail "the refusal has another reason than insufficient_scope: $body"
call GET "/api/v2/users-by-email?email=$email" "$admin_token"
expect 200 'looking for the user that was refused'
[ "$body" = '[]' ] || fail "a user was made although it was refused: $body"
say '6. Was refused (403) when it tried to create a user, and none was made.'
