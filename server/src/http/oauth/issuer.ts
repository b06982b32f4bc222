import type { FastifyRequest } from 'fastify';
import type { IssuerProfile } from '../../protocol/profile.ts';
import type { ErrorTable, OAuthAnswer } from './error-table.ts';

/** One issuer as HTTP shows it: where its endpoints are, what its answers look like. `surface.ts` serves it. */
export interface Issuer {
  readonly profile: IssuerProfile;
  /** Whatever lies below this path is the issuer's, and there or not there in its words. */
  readonly below?: `/${string}`;
  /** Of several the first is advertised. */
  readonly paths: {
    readonly token: readonly [string, ...string[]];
    readonly jwks: string;
    readonly introspection: string;
    readonly revocation: string;
    readonly authorization: string;
    readonly pushedAuthorization: string;
    readonly deviceAuthorization: string;
    readonly userinfo: string;
    readonly endSession: string;
    readonly registration: string;
    /** Sign-out as it was before there was a standard. */
    readonly classicLogout?: string;
    readonly metadata: readonly string[];
  };
  /** `Cache-Control` of the published keys. */
  readonly keysCache: string;
  /** A token without scopes says so with an empty `scope`, or leaves it out. */
  readonly emptyScope: 'said' | 'left_out';
  readonly errors: ErrorTable;
  /** The body of an error. */
  errorBody(answer: OAuthAnswer, request: FastifyRequest): Record<string, unknown>;
}

/** Verifiers may keep metadata and keys this long, in seconds; a new key is published long before it signs. */
const publishedMaxAgeSeconds = 300;

export const publishedCache = `public, max-age=${publishedMaxAgeSeconds}`;
