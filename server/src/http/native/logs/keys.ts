import { type LogKind, logKinds } from '../../../domain/logs/kinds.ts';

/** Logto's key for each kind of log event that Logto logs too; every other kind is its own key. */
const logtoKeys: Partial<Record<LogKind, string>> = {
  'token.issued': 'ExchangeTokenBy.ClientCredentials',
  'token.refused': 'ExchangeTokenBy.ClientCredentials',
  'token.revoked': 'RevokeToken',
};

export const keyOf = (kind: LogKind): string => logtoKeys[kind] ?? kind;

/** The kinds that a key stands for; none for a key that nothing here has. */
export const kindsOfKey = (key: string): LogKind[] =>
  (Object.keys(logKinds) as LogKind[]).filter((kind) => keyOf(kind) === key);
