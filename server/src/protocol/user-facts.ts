import type { OrganizationFacts, UserAccessFacts } from '../domain/access/decision-facts.ts';
import { loadOrganizationFacts } from '../domain/access/organization-facts.ts';
import { anyPolicy, userAccessFactsOf, userTokenFacts } from '../domain/access/user-facts.ts';
import { isLinkedByName } from '../domain/auth-policies/links.ts';
import { aliasedIdentifier } from '../domain/resource-servers/aliased-identifier.ts';
import { organizationItself } from '../domain/resource-servers/system.ts';
import { storedIdentifierOf } from '../domain/tenants/sites.ts';
import type { ProtocolContext } from './context.ts';
import { type AudienceFacts, audienceFactsOf, organizationAudience } from './token-facts.ts';

/** Whom a token is for, through whom, and what it is to be good for. */
export interface PersonAsk {
  readonly userId: string;
  readonly clientId: string;
  /** An API's identifier as it was asked for; `organization`: the organization itself. */
  readonly target: { readonly audience: string } | 'organization';
  readonly organizationId: string | undefined;
  /** The auth policy the person signed in by; null: nobody did, an administrator lets the client act. */
  readonly signedInBy: string | null;
}

/** All that a person's token is decided on, read for this request. */
export interface PersonFacts {
  readonly access: UserAccessFacts;
  readonly organization: OrganizationFacts | undefined;
  readonly organizationPath: string;
  /** Undefined where no API has the identifier. */
  readonly audience: AudienceFacts | undefined;
}

/**
 * Reads the facts; undefined when there is no such user. One query, and for an organization a second one beside it; one
 * more for who signed in upstream and asks for a management API.
 */
export async function loadPersonFacts(ctx: ProtocolContext, ask: PersonAsk): Promise<PersonFacts | undefined> {
  const { db } = ctx.services;
  const { tenantId } = ctx.site;
  const { userId, clientId, target, organizationId, signedInBy } = ask;
  const at = async (identifier: string) => {
    const organization =
      organizationId === undefined
        ? undefined
        : loadOrganizationFacts(db, { tenantId, organizationId, subjectId: userId, identifier });
    const [row] = await db.run(userTokenFacts, {
      tenantId,
      userId,
      clientId,
      identifier,
      signedInBy: signedInBy ?? anyPolicy,
    });
    return { row, organization: await organization };
  };
  let found = await at(identifierOf(ctx, target));
  if (found.row !== undefined && found.row.resource_server_id === null && typeof target === 'object') {
    const alias = await aliasedIdentifier(db, tenantId, target.audience);
    if (alias !== undefined) found = await at(alias);
  }
  const { row, organization } = found;
  if (row === undefined) return undefined;
  const ofOrganization = target === 'organization';
  return {
    access: {
      ...userAccessFactsOf(row, ofOrganization),
      signedInBy: signedInBy ?? undefined,
      isLinkedByName: row.system_kind !== null && (await isLinkedByName(ctx.services, tenantId, userId, signedInBy)),
    },
    organization: organization?.facts,
    organizationPath: organization?.path ?? '',
    audience: ofOrganization ? await organizationAudience(ctx) : audienceFactsOf(row),
  };
}

const identifierOf = (ctx: ProtocolContext, target: PersonAsk['target']): string =>
  target === 'organization'
    ? organizationItself
    : storedIdentifierOf({ site: ctx.site, systemApis: ctx.services.systemApis }, target.audience);
