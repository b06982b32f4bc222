/** What a token for a person is for: what the request names, within what was authorized. */
import type { Authorization } from '../../domain/authorizations/authorization.ts';
import { audienceOfOrganization } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { organizationsResource, organizationsScope } from '../tokens/identity-scopes.ts';
import type { Redeemed } from './grants/grant-type.ts';

/** What a token is for. */
export type Target =
  | { readonly kind: 'userinfo' }
  | {
      readonly kind: 'api' | 'organization';
      /** As the token names it. */
      readonly audience: string;
      readonly organizationId: string | undefined;
    };

/** Reads what is named. Throws `parameter_invalid`, `organization_scope_missing`, `target_invalid`. */
export function targetOf({ profile, client, request }: Redeemed, authorization: Authorization): Target {
  const { audiences, scopes } = authorization;
  const organizationId = request.organization ?? authorization.organizationId ?? undefined;
  // As where people sign in.
  if (request.organization !== undefined && client.signIn.organizationUsage === 'deny') {
    throw new Refusal('parameter_invalid', { clientId: client.id, parameter: 'organization' });
  }
  // The organization of the authorization itself needs no scope: the person chose it.
  const isAnother = request.organization !== undefined && request.organization !== authorization.organizationId;
  if (isAnother && !scopes.includes(organizationsScope)) {
    throw new Refusal('organization_scope_missing', { clientId: client.id, scopes: [organizationsScope] });
  }
  if (request.audience !== undefined) {
    if (!audiences.includes(request.audience) || request.audience === organizationsResource) {
      throw new Refusal('target_invalid', { parameter: 'resource', clientId: client.id });
    }
    return { kind: 'api', audience: request.audience, organizationId };
  }
  const [only, ...others] = audiences.filter((audience) => audience !== organizationsResource);
  const alone = others.length === 0 ? only : undefined;
  if (request.organization !== undefined && (profile.organizationAlone === 'organization' || alone === undefined)) {
    return { kind: 'organization', audience: audienceOfOrganization(request.organization), organizationId };
  }
  const namesApi = profile.personAlone === 'authorized_audience' || !scopes.includes('openid');
  return alone !== undefined && namesApi ? { kind: 'api', audience: alone, organizationId } : { kind: 'userinfo' };
}
