import type { Authorization } from '../../../domain/authorizations/authorization.ts';
import type { Binding } from '../../binding/binding.ts';
import type { ClientFacts } from '../../client-facts.ts';
import type { ProtocolContext } from '../../context.ts';
import type { IssuerProfile } from '../../profile.ts';
import type { TokenRequest } from '../request.ts';

/** A grant type fills these hooks; every shared check is the pipeline's. */
export type GrantType = ClientGrantType | PersonGrantType;

/** The client speaks for itself. */
export interface ClientGrantType {
  readonly speaksFor: 'client';
}

/** The client speaks for a person, with what the person authorized. */
export interface PersonGrantType {
  readonly speaksFor: 'person';
  /** Whether a client that can't prove who it is may make this request by it. */
  publicClients(request: TokenRequest): boolean;
  /** Reads and checks what was shown; uses up nothing yet. Throws a `Refusal`. */
  redeem(ctx: ProtocolContext, redeemed: Redeemed): Promise<PersonGrant>;
}

/** What a grant type gets to redeem: the client is authenticated and may use the grant type. */
export interface Redeemed {
  readonly profile: IssuerProfile;
  readonly client: ClientFacts;
  readonly request: TokenRequest;
  readonly binding: Binding;
}

/** What is particular to a token that comes from another one; a management API it is never for. */
export interface Exchange {
  /** What it is for when the request names nothing. */
  readonly target: { readonly audience?: string; readonly organization?: string };
  /** Nothing was authorized before: without scopes in the request it may get whatever the person may have. */
  readonly takesAll: boolean;
}

/** What was shown and is good, so far. */
export interface PersonGrant {
  readonly authorization: Authorization;
  /** Of the authorization request; repeated in the ID token. */
  readonly nonce?: string | null;
  /** Whether an ID token goes with it, where `openid` was authorized. */
  readonly givesIdToken: boolean;
  /** RFC 8693 §2.2.1. */
  readonly issuedTokenType?: string;
  /** Longest life of the access token, in seconds, where what was shown bounds it. */
  readonly maximumLifetimeSeconds?: number;
  /** Set where another token was shown (RFC 8693). */
  readonly exchange?: Exchange;
  /** Uses up what was shown, by one conditional write, before anything is minted. Throws a `Refusal`. */
  consume(): Promise<void>;
  /** The refresh token of the answer, kept when this settles. Runs after `consume`. */
  refreshToken?(): Promise<string | undefined>;
}
