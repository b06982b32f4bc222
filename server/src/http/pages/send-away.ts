/** The browser goes to where the person signs in. */
import type { FastifyRequest } from 'fastify';
import { Refusal } from '../../protocol/refusal.ts';
import { beginRedirect } from '../../protocol/sign-in/redirect.ts';
import { protocolContext } from '../request.ts';
import { pageCallbackPath } from '../upstream-callbacks.ts';
import { browserOf } from './cookies.ts';
import { formField } from './form-body.ts';
import type { PageServices } from './routes.ts';
import { expectedPerson, type SignInPlace } from './sign-in-place.ts';
import { identifierOf } from './views/parts.ts';

/** Begins; answers with where the browser goes. Throws as `beginRedirect` does. */
export function beginAt(
  services: PageServices,
  request: FastifyRequest,
  place: SignInPlace,
  policyId: string,
): Promise<{ location: string }> {
  const { browserSecret } = browserOf(request);
  if (browserSecret === undefined) throw new Refusal('interaction_unknown');
  const isOther = formField(request, 'account') === 'other';
  const typed = formField(request, 'identifier');
  const person = isOther ? undefined : expectedPerson(place, typed);
  const hint = typed ?? (isOther ? undefined : place.loginHint) ?? (person && identifierOf(person));
  return beginRedirect(protocolContext(services, request), {
    policyId,
    target: place.target,
    purpose: place.purpose,
    browserSecret,
    redirectUri: `${request.site.origin}${pageCallbackPath}/${policyId}`,
    loginHint: hint?.trim() || undefined,
    uiLocales: place.uiLocales,
    reauthenticates: place.provesAgain || isOther,
  });
}
