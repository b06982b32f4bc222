#!/bin/sh
# The backend admin flow of the accounts API, with curl alone: a management token, a user of an application, a root
# account and one below it, members and their roles, lists, the tree, renaming, suspending, moving, removing, deleting;
# and two refusals: a token for another audience, and the removal of the last owner. Each answer is checked, status and
# fields; at the first difference the script stops with exit code 1. What it made is removed again, also on failure.
#
#   SEKISHO_URL                  base URL of the server, https://localhost:8480
#   SEKISHO_ADMIN_CLIENT_ID      a client that may manage organizations, members and users (the scope `all` of the
#   SEKISHO_ADMIN_CLIENT_SECRET  native API), and clients and grants at /api/v2/
#   AUDIENCE                     optional: the management audience to ask for, $SEKISHO_URL/api; or an alias of it
#   OTHER_AUDIENCE               optional: an audience that is a wrong one here, $SEKISHO_URL/api/v2/
#   APPLICATION_ID               optional: whose users are made, the management client itself
#   SEKISHO_CA                   optional: certificate authority (PEM) to trust, ca.pem of SEKISHO_HTTPS=local
set -eu

: "${SEKISHO_URL:?set it to the base URL of the server}"
: "${SEKISHO_ADMIN_CLIENT_ID:?set it to the id of a management client}"
: "${SEKISHO_ADMIN_CLIENT_SECRET:?set it to the secret of that client}"

url=${SEKISHO_URL%/}
audience=${AUDIENCE:-$url/api}
other_audience=${OTHER_AUDIENCE:-$url/api/v2/}
application=${APPLICATION_ID:-$SEKISHO_ADMIN_CLIENT_ID}
umask 077
work=$(mktemp -d)
admin_token=
root=
second=
child=
user=
owner=
status=
body=
step=0

say() { printf '%s\n' "$*"; }

# done_with WHAT: one step more is done.
done_with() {
  step=$((step + 1))
  say "$step. $*"
}

fail() {
  say "FAILED: $*" >&2
  exit 1
}

# quote TEXT: the text as a JSON string.
quote() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }

# field NAME: a member of the last answer's body, a text or null; nothing when it is not there.
field() {
  printf '%s' "$body" | sed -n "s/.*\"$1\" *: *\"\\([^\"]*\\)\".*/\\1/p; s/.*\"$1\" *: *null.*/null/p" | head -n 1
}

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
  status=$(curl --silent --show-error --max-time 30 --config "$work/curl" --output "$work/answer" \
    --dump-header "$work/headers" --write-out '%{http_code}') || fail "$1 $url$2 was not answered."
  body=$(cat "$work/answer" 2>/dev/null || true)
  rm -f "$work/answer"
}

# expect STATUS WHAT: the last answer has this status.
expect() { [ "$status" = "$1" ] || fail "$2: expected status $1, got $status: $body"; }

# expect_field NAME VALUE WHAT: the last answer has this member with this value.
expect_field() { [ "$(field "$1")" = "$2" ] || fail "$3: expected $1 to be $2: $body"; }

# expect_time NAME WHAT: the member is a time, ISO 8601 in UTC.
expect_time() {
  case $(field "$1") in
  20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]*Z) ;;
  *) fail "$2: expected $1 to be a time: $body" ;;
  esac
}

# expect_text TEXT WHAT, expect_no_text TEXT WHAT: whether the last answer's body has this text in it.
expect_text() { case $body in *"$1"*) ;; *) fail "$2: expected $1 in it: $body" ;; esac; }
expect_no_text() { case $body in *"$1"*) fail "$2: did not expect $1 in it: $body" ;; esac; }

# token AUDIENCE: asks for a token, by JSON.
token() {
  call POST /oauth2/token '' "{\"grant_type\":\"client_credentials\",\"client_id\":$(quote "$SEKISHO_ADMIN_CLIENT_ID"),\"client_secret\":$(quote "$SEKISHO_ADMIN_CLIENT_SECRET"),\"audience\":$(quote "$1")}"
}

# api METHOD PATH [JSON]: a call of the accounts API.
api() { call "$1" "/api$2" "$admin_token" "${3-}"; }

clean_up() {
  code=$?
  trap - EXIT
  for thing in ${second:+accounts/$second?cascade=true} ${root:+accounts/$root?cascade=true} \
    ${user:+users/$user} ${owner:+users/$owner}; do
    if (api DELETE "/$thing" && expect 204 "deleting $thing"); then
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

token "$audience"
expect 200 'asking for a management token'
expect_field token_type Bearer 'the token answer'
admin_token=$(field access_token)
[ -n "$admin_token" ] || fail 'the token answer has no access_token.'
printf '%s' "$body" | grep -q '"expires_in" *: *[1-9][0-9]*' || fail 'the token answer has no expires_in.'
done_with "Got a management token for $audience."

token "$other_audience"
expect 200 'asking for a token for another audience'
other_token=$(field access_token)
call POST /api/accounts "$other_token" '{"name":"Never made"}'
[ "$status" != 201 ] || root=$(field id)
expect 401 'creating an account with a token for another audience'
expect_field error invalid_token 'the refusal of another audience'
grep -qi '^www-authenticate: Bearer .*error="invalid_token"' "$work/headers" ||
  fail 'the refusal of another audience has no WWW-Authenticate with invalid_token.'
done_with 'Was refused (401 invalid_token) with a token for another audience.'

api POST "/applications/$application/users" '{"status":"active"}'
expect 201 'creating a user of the application'
user=$(field id)
[ -n "$user" ] || fail 'the new user has no id.'
expect_field application_id "$application" 'the new user'
expect_field status active 'the new user'
expect_time created_at 'the new user'
api POST "/applications/$application/users" '{"name":"Owner of the flow"}'
expect 201 'creating a second user'
owner=$(field id)
[ -n "$owner" ] && [ "$owner" != "$user" ] || fail 'the second user has no id of its own.'
done_with "Created the users $owner and $user of the application $application."

api POST /accounts '{"name":"Flow root","metadata":{"plan":"gold"}}'
expect 201 'creating a root account'
root=$(field id)
[ -n "$root" ] || fail 'the new account has no id.'
expect_field name 'Flow root' 'the root account'
expect_field parent_account_id null 'the root account'
expect_field status active 'the root account'
expect_text '"metadata":{"plan":"gold"}' 'the root account'
expect_time created_at 'the root account'
expect_time updated_at 'the root account'
done_with "Created the root account $root."

api POST "/accounts/$root/accounts" '{"name":"Flow child"}'
expect 201 'creating a child account'
child=$(field id)
[ -n "$child" ] || fail 'the child account has no id.'
expect_field name 'Flow child' 'the child account'
expect_field parent_account_id "$root" 'the child account'
api GET "/accounts?parent_id=$root"
expect 200 'listing the children'
expect_text "\"id\":\"$child\"" 'the list of children'
expect_field next null 'the list of children'
done_with "Created the child account $child."

api POST "/accounts/$root/members" "{\"user_id\":$(quote "$owner"),\"role\":\"owner\"}"
expect 201 'adding the owner'
owner_member=$(field id)
expect_field role owner 'the owner'
api POST "/accounts/$child/members" "{\"user_id\":$(quote "$user"),\"role\":\"member\"}"
expect 201 'adding a member'
member=$(field id)
[ -n "$member" ] || fail 'the new member has no id.'
expect_field account_id "$child" 'the new member'
expect_field user_id "$user" 'the new member'
expect_field role member 'the new member'
expect_field inherited_from null 'the new member'
done_with "Added the owner to the root and the member $member to the child."

api POST "/accounts/$child/members" "{\"user_id\":$(quote "$user"),\"role\":\"viewer\"}"
expect 409 'adding a member twice'
expect_field error conflict 'the refusal of a second membership'
api DELETE "/accounts/$root/members/$owner_member"
expect 409 'removing the last owner'
expect_field code organization.last_owner 'the refusal to remove the last owner'
api GET "/accounts/$root/members/$owner_member"
expect 200 'reading the last owner'
expect_field role owner 'the last owner'
done_with 'Was refused (409) a second membership, and the removal of the last owner.'

api PATCH "/accounts/$child/members/$member" '{"role":"viewer"}'
expect 200 'changing the role of a member'
expect_field id "$member" 'the changed member'
expect_field role viewer 'the changed member'
done_with 'Changed the role of the member to viewer.'

api GET "/accounts/$child/members"
expect 200 'listing members'
expect_text "\"id\":\"$member\"" 'the list of members'
expect_text "\"inherited_from\":\"$root\"" 'the list of members'
api GET "/accounts/$root/members"
expect 200 'listing the members of the root'
expect_no_text "$member" 'the members of the root'
done_with 'Listed members: the owner of the root is inherited below it, the member does not count above.'

api GET "/accounts/$root/tree"
expect 200 'reading the tree'
expect_text "\"id\":\"$root\"" 'the tree'
expect_text "\"id\":\"$child\"" 'the tree'
api POST "/accounts/$root/accounts/search" '{"query":"flow CH","limit":10}'
expect 200 'searching accounts'
expect_text "\"id\":\"$child\"" 'the accounts found'
expect_no_text "\"id\":\"$root\"" 'the accounts found'
done_with 'Read the tree, and found the child by the beginning of its name.'

api PATCH "/accounts/$child" '{"name":"Flow child, renamed"}'
expect 200 'renaming an account'
expect_field name 'Flow child, renamed' 'the renamed account'
expect_field status active 'the renamed account'
api PATCH "/accounts/$child" '{"status":"suspended"}'
expect 200 'suspending an account'
expect_field status suspended 'the suspended account'
api GET "/accounts/$child"
expect 200 'reading the account again'
expect_field name 'Flow child, renamed' 'the account, read again'
expect_field status suspended 'the account, read again'
done_with 'Renamed and suspended the child.'

api POST /accounts '{"name":"Flow second root"}'
expect 201 'creating a second root'
second=$(field id)
[ -n "$second" ] || fail 'the second root has no id.'
api POST "/accounts/$child/move" "{\"parent_id\":$(quote "$second")}"
expect 200 'moving an account'
expect_field parent_account_id "$second" 'the moved account'
api POST "/accounts/$second/move" "{\"parent_id\":$(quote "$child")}"
expect 409 'moving an account below its own child'
expect_field code organization.cycle 'the refusal of a cycle'
api DELETE "/accounts/$second"
expect 409 'deleting an account that has children'
expect_field code organization.has_children 'the refusal to delete a parent'
done_with "Moved the child below $second; a cycle, and the deletion of a parent, were refused (409)."

api DELETE "/accounts/$child/members/$member"
expect 204 'removing a member'
api GET "/accounts/$child/members/$member"
expect 404 'reading the removed member'
expect_field error not_found 'the removed member'
done_with 'Removed the member.'

api DELETE "/accounts/$child"
expect 204 'deleting an account'
api GET "/accounts/$child"
expect 404 'reading the deleted account'
done_with 'Deleted the child account.'

api POST "/accounts/$second/members" "{\"user_id\":$(quote "$user"),\"role\":\"viewer\"}"
expect 201 'adding the user to another account'
member=$(field id)
api DELETE "/users/$user"
expect 204 'deleting a user'
gone=$user
user=
api GET "/accounts/$second/members/$member"
expect 404 'reading the membership of the deleted user'
api POST "/accounts/$second/members" "{\"user_id\":$(quote "$gone"),\"role\":\"member\"}"
expect 404 'adding a deleted user'
expect_field field user_id 'the refusal of a deleted user'
done_with 'Deleted the user; its membership ended with it.'
