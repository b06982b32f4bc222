import type { Logger } from 'pino';
import type { Cipher } from '../kernel/cipher.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Cursors } from '../kernel/cursor.ts';
import type { Random } from '../kernel/random.ts';
import type { Database } from '../storage/database.ts';
import type { GuardSettings } from '../upstream/guarded-fetch.ts';
import type { KeyStore } from './keys/key-store.ts';
import type { Journal } from './logs/journal.ts';
import type { SystemApi } from './resource-servers/system.ts';
import type { Site, Sites } from './tenants/sites.ts';

/** What one process has once; `compose.ts` is the one place that builds it. */
export interface Services {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly cipher: Cipher;
  readonly cursors: Cursors;
  readonly keys: KeyStore;
  readonly journal: Journal;
  readonly sites: Sites;
  /** The management audiences of every tenant. */
  readonly systemApis: readonly SystemApi[];
  readonly logger: Logger;
  /** Where requests of this server to addresses that others chose may go. */
  readonly outgoing: GuardSettings;
}

/**
 * Who acts. A client acts with what its token carries and today's decision allows, at one management audience; for
 * itself, or for a person that it was let act for.
 */
export type Actor =
  | {
      readonly kind: 'client';
      readonly clientId: string;
      /** The person it acts for: what may be done is what the person holds through this client. */
      readonly userId?: string;
      readonly scopes: ReadonlySet<string>;
      readonly tokenId: string;
      /** Called with an API key: in other hands than its maker's, it holds no more than `scopes`. */
      readonly byApiKey?: true;
      /** Its token speaks for this organization: it reaches its subtree and nothing else (`organizations/reach.ts`). */
      readonly organization?: { readonly id: string; readonly path: string };
    }
  | { readonly kind: 'server' };

/** Where a request came from; kept in log events. */
export interface Origin {
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
  readonly host: string | undefined;
  /** Method and path, from surfaces that log which request made a change. */
  readonly request?: string;
}

/** What a verb of the domain gets: the services, the tenant it acts in, and who acts from where. */
export interface Context extends Services {
  readonly site: Site;
  readonly actor: Actor;
  readonly origin: Origin;
}

export const nowhere: Origin = { ip: undefined, userAgent: undefined, host: undefined };
