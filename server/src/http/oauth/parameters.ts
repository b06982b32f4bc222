import { invalid, malformed } from '../../kernel/errors.ts';
import { Form } from '../edge/form.ts';
import { echoName } from '../edge/text.ts';

/** The parameters of a protocol request, whichever way they were sent; an empty one is an absent one (RFC 6749 §3.2). */
export type Parameters = (name: string) => string | undefined;

/** Longest value of a parameter, in characters; an assertion is the longest there is. */
const maximumLength = 65_536;

/** Parameters whose values go into comparisons, messages and logs: no controls (RFC 6749 appendix A). */
const plainText = new Set([
  'client_id',
  'audience',
  'resource',
  'scope',
  'grant_type',
  'organization',
  'organization_id',
  'redirect_uri',
  'state',
  'nonce',
  'login_hint',
  'prompt',
  'response_type',
  'response_mode',
]);

/**
 * Reads a form (a Map) or a JSON object into one lookup; both are checked alike. Throws `input.invalid` naming the
 * parameter.
 */
export function readParameters(body: unknown): Parameters {
  if (body === undefined || body === null) return () => undefined;
  if (body instanceof Form) body.assertOneResource();
  return lookupIn(body instanceof Map ? (body as Map<string, string>) : formOf(body));
}

/**
 * The same for an authorization request, of a query or a form. There `resource` may be repeated (RFC 8707 §2); all of
 * them, and `audience`, are the audiences.
 */
export function readAuthorizationParameters(from: unknown): { parameter: Parameters; audiences: readonly string[] } {
  if (from instanceof Form) return withAudiences(lookupIn(from), from.resources);
  const form = new Map<string, string>();
  let resources: readonly string[] = [];
  for (const [name, value] of Object.entries((from ?? {}) as Record<string, string | string[]>)) {
    if (name === 'resource') resources = [value].flat();
    else if (typeof value !== 'string')
      throw malformed(`The parameter "${echoName(name)}" is repeated.`, echoName(name));
    else form.set(name, value);
  }
  return withAudiences(lookupIn(form), resources);
}

function withAudiences(parameter: Parameters, resources: readonly string[]) {
  const audience = parameter('audience');
  const named = resources.filter((resource) => resource !== '');
  return { parameter, audiences: audience === undefined ? named : [...named, audience] };
}

function lookupIn(form: Map<string, string>): Parameters {
  for (const name of plainText) {
    const value = form.get(name);
    // biome-ignore format: one pattern, one line
    if (value !== undefined && /[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(value)) {
      throw invalid(name, `The parameter ${name} has control characters.`);
    }
  }
  return (name) => {
    const value = form.get(name);
    if (value !== undefined && value.length > maximumLength) throw invalid(name, `The parameter ${name} is too long.`);
    return value === '' ? undefined : value;
  };
}

/** Names the token endpoints read; a JSON body gives them as strings. Others are ignored (RFC 6749 §3.2). */
const known = [
  'grant_type',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'audience',
  'resource',
  'scope',
  'organization',
  'organization_id',
  'token',
  'access_token',
  'token_type_hint',
  'code',
  'redirect_uri',
  'code_verifier',
  'refresh_token',
  'device_code',
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
];

function formOf(body: unknown): Map<string, string> {
  if (typeof body !== 'object' || Array.isArray(body)) throw invalid('', 'The body must be a form or a JSON object.');
  const form = new Map<string, string>();
  for (const name of known) {
    if (!Object.hasOwn(body as object, name)) continue;
    const value = (body as Record<string, unknown>)[name];
    if (typeof value !== 'string') throw invalid(name, `The parameter ${name} must be a string.`);
    form.set(name, value);
  }
  return form;
}
