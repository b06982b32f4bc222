import { type SystemApi, storedIdentifier } from '../resource-servers/system.ts';

/** A tenant as the network sees it. Built from configuration, never from an unchecked header. */
export interface Site {
  readonly tenantId: string;
  /** Scheme, host and port, without a slash at the end. */
  readonly origin: string;
  /** Host and port, as a Host header gives them. */
  readonly host: string;
  /** Issuer of the tenant's tokens, with a slash at the end. */
  readonly issuer: string;
}

export interface Sites {
  readonly base: URL;
  /** The tenant a Host header names; undefined when the host is not ours. Whether the tenant exists is not known here. */
  ofHost(hostHeader: string): Site | undefined;
  ofTenant(tenantId: string): Site;
  /** Every host name (without port) that the default tenant answers to. */
  readonly hostNames: readonly string[];
  /** True when the name is the base host, an extra host, or a possible tenant below one of them. */
  isKnownHostName(name: string): boolean;
}

export const defaultTenantId = 'default';

/** What a tenant can be called: it becomes a DNS label. */
export const tenantIdPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Sites kept by host, so that a token request builds none; they hold URLs only. */
const keptSites = 10_000;

/**
 * The base host is the tenant `default`, `<tenant>.<base host>` another one; extra hosts likewise, under the same
 * issuers. Where the base host is loopback, its other names (localhost, 127.0.0.1, [::1]) serve the default tenant too.
 */
export function createSites(base: URL, extraHosts: readonly string[]): Sites {
  const defaultPort = base.protocol === 'https:' ? '443' : '80';
  const roots = rootsOf(base, base.port || defaultPort, extraHosts);
  const byHost = new Map<string, Site>();
  const byTenant = new Map<string, Site>();

  const ofTenant = (tenantId: string): Site => {
    const known = byTenant.get(tenantId);
    if (known !== undefined) return known;
    const host = tenantId === defaultTenantId ? base.host : `${tenantId}.${base.host}`;
    const origin = `${base.protocol}//${host}`;
    return keep(byTenant, tenantId, { tenantId, origin, host, issuer: `${origin}/` });
  };

  const tenantOfName = (name: string, candidates = roots): string | undefined => {
    // An extra host may lie below the base host: its own name comes before the tenant it could be.
    if (candidates.some((root) => root.name === name)) return defaultTenantId;
    for (const root of candidates) {
      if (!name.endsWith(`.${root.name}`)) continue;
      const label = name.slice(0, -root.name.length - 1);
      if (label !== defaultTenantId && tenantIdPattern.test(label)) return label;
    }
    return undefined;
  };

  return {
    base,
    hostNames: [...new Set(roots.map(({ name }) => name.replace(/^\[|\]$/g, '')))],
    isKnownHostName: (name) => tenantOfName(name.toLowerCase()) !== undefined,
    ofTenant,
    ofHost(hostHeader) {
      const known = byHost.get(hostHeader);
      if (known !== undefined) return known;
      const match = /^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?$/.exec(hostHeader.toLowerCase());
      if (match === null) return undefined;
      const [, name = '', port = defaultPort] = match;
      const tenantId = tenantOfName(
        name,
        roots.filter(({ ports }) => ports.has(port)),
      );
      return tenantId === undefined ? undefined : keep(byHost, hostHeader, ofTenant(tenantId));
    },
  };
}

function keep(kept: Map<string, Site>, key: string, site: Site): Site {
  if (kept.size >= keptSites) kept.clear();
  kept.set(key, site);
  return site;
}

/** A name under which tenants are found, and the ports a Host header may give with it. */
interface Root {
  readonly name: string;
  readonly ports: ReadonlySet<string>;
}

function rootsOf(base: URL, port: string, extraHosts: readonly string[]): Root[] {
  const loopback = ['localhost', '127.0.0.1', '[::1]'];
  const names = loopback.includes(base.hostname) ? [base.hostname, ...loopback] : [base.hostname];
  const extra = extraHosts.map((host): Root => {
    const [, name = '', own] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
    // Without a port of its own: ours, or a default one, for a proxy in front may take the port away.
    return { name, ports: new Set(own === undefined ? [port, '80', '443'] : [own]) };
  });
  return [...[...new Set(names)].map((name) => ({ name, ports: new Set([port]) })), ...extra];
}

/**
 * The system resource server that an audience names, if it names one: its identifier at this tenant's host, the https
 * twin of an http one (SDKs write https whatever the transport), or one of its fixed aliases.
 */
export function systemApiOf(site: Site, systemApis: readonly SystemApi[], audience: string): SystemApi | undefined {
  return systemApis.find((api) => systemIdentifiers(site, api).includes(audience));
}

/** Computed once a site, for every token request asks. */
const identifiersOfSites = new WeakMap<Site, Map<SystemApi, string[]>>();

/** Every identifier of a system resource server at a site, the canonical one first. */
export function systemIdentifiers(site: Site, api: SystemApi): readonly string[] {
  const ofSite = identifiersOfSites.get(site) ?? new Map<SystemApi, string[]>();
  identifiersOfSites.set(site, ofSite);
  let identifiers = ofSite.get(api);
  if (identifiers === undefined) {
    const canonical = `${site.origin}${api.path}`;
    identifiers = [canonical, canonical.replace(/^http:/, 'https:'), ...api.aliases(site.tenantId)];
    ofSite.set(api, identifiers);
  }
  return identifiers;
}

/** What an audience or identifier is stored under; what nobody can have maps to what nothing is stored under. */
export function storedIdentifierOf(
  ctx: { readonly site: Site; readonly systemApis: readonly SystemApi[] },
  identifier: string,
): string {
  const api = systemApiOf(ctx.site, ctx.systemApis, identifier);
  if (api !== undefined) return storedIdentifier(api.kind);
  return identifier.startsWith('urn:sekisho:') ? '' : identifier;
}

/** Identifiers nobody can register: management audiences with their aliases, issuers of this server's hosts, our URNs. */
export function isReservedIdentifier(sites: Sites, systemApis: readonly SystemApi[], identifier: string): boolean {
  if (/^urn:(logto|sekisho):/i.test(identifier)) return true;
  if (!URL.canParse(identifier)) return false;
  const url = new URL(identifier);
  const site = sites.ofHost(url.host);
  const path = url.pathname.replace(/\/+$/, '');
  const fixedPaths = ['', '/oidc', ...systemApis.map((api) => api.path.replace(/\/+$/, ''))];
  if (site !== undefined && /^https?:$/.test(url.protocol) && fixedPaths.includes(path)) return true;
  return systemApis.some((api) => api.isAlias(identifier));
}
