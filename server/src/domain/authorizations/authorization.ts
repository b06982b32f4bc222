import { ReferenceGone } from '../../storage/errors.ts';
import type { IssuerName, Schema } from '../../storage/schema.ts';

/** What a person let a client do. Every code, token and refresh token of a sign-in rests on one, and ends with it. */
export interface Authorization {
  readonly id: string;
  readonly issuer: IssuerName;
  readonly userId: string;
  readonly clientId: string;
  /** Scopes of OpenID Connect and of APIs alike. */
  readonly scopes: readonly string[];
  /** The audiences that tokens may be for. */
  readonly audiences: readonly string[];
  readonly amr: readonly string[];
  /** The policy its person signed in by; null: nobody did, an administrator lets the client act. */
  readonly authPolicyId: string | null;
  /** It ends with this session; null: it goes on without (`offline_access`). */
  readonly sessionId: string | null;
  /** The session it was granted in, whether or not it ends with it; absent: `sessionId`. */
  readonly grantedInSessionId?: string | null;
  readonly organizationId: string | null;
  /** Who acts for the person (RFC 8693 §4.1). */
  readonly actor: ActorClaim | null;
  /** When the person proved who it is, in milliseconds. */
  readonly authenticatedAt: number;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** The claim `act` (RFC 8693 §4.1): nested, the current actor outermost. */
export interface ActorClaim {
  readonly sub: string;
  readonly act?: ActorClaim;
}

export type AuthorizationRow = Schema['authorizations'];

export const authorizationOf = (row: AuthorizationRow): Authorization => ({
  id: row.id,
  issuer: row.issuer,
  userId: row.user_id,
  clientId: row.client_id,
  scopes: JSON.parse(row.scopes) as string[],
  audiences: JSON.parse(row.audiences) as string[],
  amr: JSON.parse(row.amr) as string[],
  authPolicyId: row.auth_policy_id,
  sessionId: row.session_id,
  grantedInSessionId: row.granted_in_session_id,
  organizationId: row.organization_id,
  actor: row.actor === null ? null : (JSON.parse(row.actor) as ActorClaim),
  authenticatedAt: row.authenticated_at,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});

/** Waits for a token to be kept. What it rests on may end at the same moment: then there is nothing to keep. */
export async function restingOn(kept: Promise<number>): Promise<void> {
  try {
    await kept;
  } catch (error) {
    if (!(error instanceof ReferenceGone)) throw error;
  }
}
