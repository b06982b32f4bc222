/**
 * First path segments of Auth0's management API. A route of theirs that is not here answers as if the token lacked its
 * scope: deploy-cli then skips that type and goes on, where a 404 would end the whole run.
 */
const segments: ReadonlySet<string> = new Set([
  'actions',
  'anomaly',
  'attack-protection',
  'branding',
  'client-grants',
  'clients',
  'connection-profiles',
  'connections',
  'custom-domains',
  'device-credentials',
  'email-templates',
  'emails',
  'event-streams',
  'flows',
  'forms',
  'grants',
  'groups',
  'guardian',
  'hooks',
  'jobs',
  'keys',
  'log-streams',
  'logs',
  'network-acls',
  'organizations',
  'prompts',
  'rate-limit-policies',
  'refresh-tokens',
  'resource-servers',
  'risk-assessments',
  'roles',
  'rules',
  'rules-configs',
  'self-service-profiles',
  'sessions',
  'stats',
  'supplemental-signals',
  'tenants',
  'tickets',
  'token-exchange-profiles',
  'user-attribute-profiles',
  'user-blocks',
  'user-grants',
  'users',
  'users-by-email',
  'verifiable-credentials',
]);

const verbs: Record<string, string> = { GET: 'read', POST: 'create', PUT: 'update', PATCH: 'update', DELETE: 'delete' };

/** The scope a known route of Auth0's would ask for; undefined when Auth0 has no such route. */
export function scopeOfKnownRoute(method: string, path: string): string | undefined {
  const segment = path.replace(/^\/api\/v2\//, '').split(/[/?]/)[0] ?? '';
  return segments.has(segment) ? `${verbs[method] ?? 'read'}:${segment.replaceAll('-', '_')}` : undefined;
}
