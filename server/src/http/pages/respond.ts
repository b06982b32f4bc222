/** Sends the answer to an authorization request on to the client. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuthorizationResponse } from '../../protocol/authorize/request.ts';
import type { HttpServices } from '../request.ts';

/** The response, in the words of its issuer: by redirect (RFC 6749 §4.1.2), or by a page with a form (OAuth 2.0 Form Post Response Mode). */
export async function sendResponse(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
  response: AuthorizationResponse,
): Promise<FastifyReply> {
  if (response.mode === 'query') return seeOther(reply, withParameters(response.redirectUri, response.parameters));
  const [{ sendPage }, { formPostView }, { formActionOf }] = await Promise.all([
    import('./page.ts'),
    import('./views/form-post.ts'),
    import('./headers.ts'),
  ]);
  return sendPage(services, request, reply, (t) => formPostView(t, response), {
    formAction: formActionOf(response.redirectUri),
  });
}

/** 303: the browser goes on with GET, and does not send a password along (RFC 9700 §4.12). */
export const seeOther = (reply: FastifyReply, location: string): FastifyReply =>
  reply.code(303).header('location', location).send();

/** Adds parameters to a redirect URI, keeping the query it has (RFC 6749 §3.1.2). */
export function withParameters(uri: string, parameters: Readonly<Record<string, string>>): string {
  // A header holds ASCII only; nothing that is ASCII already changes.
  const ascii = uri.replace(/[^\x21-\x7e]+/gu, encodeURIComponent);
  if (Object.keys(parameters).length === 0) return ascii;
  const separator = !ascii.includes('?') ? '?' : /[?&]$/.test(ascii) ? '' : '&';
  return `${ascii}${separator}${new URLSearchParams(parameters)}`;
}
