#!/bin/sh
# Auth policies over RHMAP's API, with curl alone: a policy for the users of this server is made, a user is approved for
# it and signs in to an application as $fh.auth does; the session is verified, revoked, and not valid any more. Each
# answer is checked; at the first difference the script stops with exit code 1. What it made is removed again, also on
# failure.
#
#   SEKISHO_URL                  base URL of the server, https://localhost:8480
#   SEKISHO_ADMIN_CLIENT_ID      a client that may manage applications, users, auth policies and API keys
#   SEKISHO_ADMIN_CLIENT_SECRET
#   SEKISHO_CA                   optional: certificate authority (PEM) to trust, ca.pem of SEKISHO_HTTPS=local
set -eu

: "${SEKISHO_URL:?set it to the base URL of the server}"
: "${SEKISHO_ADMIN_CLIENT_ID:?set it to the id of a management client}"
: "${SEKISHO_ADMIN_CLIENT_SECRET:?set it to the secret of that client}"

url=${SEKISHO_URL%/}
policies=/box/srv/1.1/admin/authpolicy
umask 077
work=$(mktemp -d)
admin=
key_header=
key_id=
app_id=
user_id=
guid=
status=
body=

say() { printf '%s\n' "$*"; }

fail() {
  say "FAILED: $*" >&2
  exit 1
}

# quote TEXT: the text as a JSON string.
quote() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }

# random LENGTH: letters and digits.
random() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c "$1"; }

# field NAME: the text of a member of the last answer's body, the first of that name; nothing when it is not there.
field() { printf '%s' "$body" | tr ',{' '\n\n' | sed -n "s/.*\"$1\" *: *\"\\([^\"]*\\)\".*/\\1/p" | head -n 1; }

# call METHOD PATH HEADER [JSON]: sets status and body. Keys and secrets go through files, for the arguments of a process
# are for everybody to read.
call() {
  set -- "$1" "$2" "$3" "${4-}"
  {
    printf 'request = "%s"\nurl = "%s%s"\n' "$1" "$url" "$2"
    if [ -n "$3" ]; then printf 'header = "%s"\n' "$3"; fi
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

# expect_body TEXT WHAT: it has this text, too.
expect_body() {
  expect 200 "$2"
  case $body in *"$1"*) ;; *) fail "$2: expected $1, got $body" ;; esac
}

# policy CALL JSON: one of RHMAP's calls that manage policies.
policy() { call POST "$policies/$1" "$key_header" "$2"; }

# sign_in PASSWORD: as $fh.auth does.
sign_in() {
  call POST "$policies/auth" '' "{\"policyId\":$(quote "$policy_id"),\"clientToken\":$(quote "$app_id"),\"params\":{\"userId\":$(quote "$user"),\"password\":$(quote "$1")},\"device\":\"flow\"}"
}

gone() { expect 204 "$1"; }
deleted() { expect_body '"status":"ok"' "$1"; }

# remove NAME CHECK METHOD PATH HEADER [JSON]: takes one thing away that was made.
remove() {
  what=$1 wanted=$2
  shift 2
  if (call "$@" && "$wanted" "deleting the $what"); then
    say "Cleaned up: the $what is deleted."
  else
    say "Left behind: the $what. Delete it by hand." >&2
    code=1
  fi
}

clean_up() {
  code=$?
  trap - EXIT
  if [ -n "$guid" ]; then remove policy deleted POST "$policies/delete" "$key_header" "{\"guid\":$(quote "$guid")}"; fi
  if [ -n "$user_id" ]; then remove user gone DELETE "/api/users/$user_id" "$admin"; fi
  if [ -n "$app_id" ]; then remove application gone DELETE "/api/applications/$app_id" "$admin"; fi
  if [ -n "$key_id" ]; then remove 'API key' gone DELETE "/api/api-keys/$key_id" "$admin"; fi
  rm -rf "$work"
  [ "$code" = 0 ] && say 'All steps passed.'
  exit "$code"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

call POST /oauth/token '' "{\"grant_type\":\"client_credentials\",\"client_id\":$(quote "$SEKISHO_ADMIN_CLIENT_ID"),\"client_secret\":$(quote "$SEKISHO_ADMIN_CLIENT_SECRET"),\"audience\":$(quote "$url/api")}"
expect 200 'asking for a management token'
token=$(field access_token)
[ -n "$token" ] || fail 'the token answer has no access_token.'
admin="Authorization: Bearer $token"
tag=$(random 8 | tr 'A-Z' 'a-z')

call POST /api/api-keys "$admin" "{\"label\":\"authpolicy_flow\",\"scopes\":[\"read:auth_policies\",\"create:auth_policies\",\"update:auth_policies\",\"delete:auth_policies\"],\"expiresAt\":$(($(date +%s) + 3600))000}"
expect 201 'creating an API key'
key_id=$(field id)
key=$(field value)
[ -n "$key_id" ] && [ -n "$key" ] || fail 'the new API key has no id or no value.'
key_header="X-FH-AUTH-USER: $key"
say '1. Made an API key for auth policies; it ends in an hour.'

call POST /api/applications "$admin" "{\"name\":\"authpolicy_flow\",\"type\":\"Native\",\"oidcClientMetadata\":{\"redirectUris\":[],\"postLogoutRedirectUris\":[]}}"
expect 200 'creating an application'
app_id=$(field id)
user=flow-$tag
password=$(random 20)
call POST /api/users "$admin" "{\"username\":$(quote "$user"),\"name\":\"Flow\",\"password\":$(quote "$password")}"
expect 200 'creating a user'
user_id=$(field id)
say "2. Made the application $app_id and the user $user."

policy_id=flow-$tag
policy create "{\"policyId\":$(quote "$policy_id"),\"policyType\":\"FEEDHENRY\",\"configurations\":{\"provider\":\"FEEDHENRY\"},\"checkUserExists\":true,\"checkUserApproved\":true}"
expect_body '"status":"ok"' 'creating the policy'
guid=$(field guid)
[ -n "$guid" ] || fail "the new policy has no guid: $body"
say "3. Created the policy $policy_id ($guid): users of this server, approved ones only."

sign_in "$password"
expect_body '"message":"user_not_approved"' 'signing in before the approval'
say '4. Was refused: the user is not approved yet.'

policy addusers "{\"guid\":$(quote "$guid"),\"users\":[$(quote "$user")]}"
expect_body '"status":"ok"' 'adding the user'
policy users "{\"guid\":$(quote "$guid")}"
expect_body "\"userid\":$(quote "$user")" 'listing the users of the policy'
say "5. Added $user to the policy."

sign_in "wrong$password"
expect_body '"message":"invalid_credentials"' 'signing in with a wrong password'
sign_in "$password"
expect_body '"status":"ok"' 'signing in'
session=$(field sessionToken)
[ -n "$session" ] || fail 'the sign-in gave no sessionToken.'
say '6. Signed in; a wrong password was refused.'

call POST "$policies/verifysession" '' "{\"sessionToken\":$(quote "$session")}"
expect_body '"isValid":true' 'verifying the session'
say '7. The session is valid.'

call POST "$policies/revokesession" '' "{\"sessionToken\":$(quote "$session")}"
expect_body '"status":"ok"' 'revoking the session'
call POST "$policies/verifysession" '' "{\"sessionToken\":$(quote "$session")}"
expect_body '"isValid":false' 'verifying the revoked session'
say '8. Revoked it; it is not valid any more.'
