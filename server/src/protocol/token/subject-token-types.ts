/** What can be exchanged (RFC 8693 §3); apart from the grant type, which is loaded when it is first used. */

export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
export const impersonationTokenType = 'urn:logto:token-type:impersonation_token';
/** The session that an app holds (`protocol/app-sessions/`). */
export const policySessionTokenType = 'urn:sekisho:params:oauth:token-type:policy-session';
