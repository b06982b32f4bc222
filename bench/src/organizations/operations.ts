/** What is measured one request at a time: pages, a search, a member, a decision, a token, each somewhere at random. */
import { numberedClient } from '../fill.ts';
import { clientForm, tokenPath } from '../target.ts';
import { type NativeApi, nextPage } from './api.ts';
import { organizationId, organizationsOfTree, userId } from './fill.ts';

/** A filled, running server. */
export interface FilledServer {
  port: number;
  api: NativeApi;
  organizations: number;
  /** Of the API that the machine role gives a scope of. */
  audience: string;
  /** The address of a page half-way through all organizations. */
  deepPage: string;
}

/** One request; resolves to its time in milliseconds. Throws when it is refused. */
export type Operation = (server: FilledServer) => Promise<number>;

const random = (below: number): number => Math.floor(Math.random() * below);
const treesOf = ({ organizations }: FilledServer): number => organizations / organizationsOfTree;
const randomTree = (server: FilledServer): number => 1 + random(treesOf(server));
const randomOrganization = (server: FilledServer): string =>
  organizationId(randomTree(server), random(organizationsOfTree));
/** A leaf, six levels down. */
const randomLeaf = (tree: number): string => organizationId(tree, organizationsOfTree - 1 - random(500));

const get =
  (path: (server: FilledServer) => string): Operation =>
  async (server) =>
    (await server.api.call('GET', path(server))).ms;

/** Every operation by its name in the table; what is by cursor must cost the same however many there are. */
export const operations: Readonly<Record<string, Operation>> = {
  'first page': get(() => '/organizations?cursor=&page_size=20'),
  'deep page': get(({ deepPage }) => deepPage),
  children: get((server) => `/organizations/${randomOrganization(server)}/children?cursor=&page_size=20`),
  'subtree, first page': get(
    (server) => `/organizations/${organizationId(randomTree(server), 0)}/subtree?cursor=&page_size=20`,
  ),
  'search by beginning of the name': get((server) => {
    const prefix = `customer ${String(randomTree(server)).padStart(8, '0')} 000001`;
    return `/organizations?namePrefix=${encodeURIComponent(prefix)}&cursor=&page_size=20`;
  }),
  'members of an organization': get(
    (server) => `/organizations/${randomOrganization(server)}/members?cursor=&page_size=20`,
  ),
  'add a member': async (server) => {
    const body = { userIds: [userId(1 + random(server.organizations))] };
    return (await server.api.call('POST', `/organizations/${randomOrganization(server)}/users`, body)).ms;
  },
  'decision with its reasons (explain)': async (server) => {
    const tree = randomTree(server);
    const question = {
      applicationId: numberedClient(tree).clientId,
      organizationId: randomLeaf(tree),
      audience: server.audience,
    };
    const { body, ms } = await server.api.call('POST', '/explain', question);
    if (body.allowed !== true) throw new Error(`Not allowed: ${JSON.stringify(body)}`);
    return ms;
  },
  'token for an organization': async (server) => {
    const tree = randomTree(server);
    const form = clientForm(numberedClient(tree), { audience: server.audience, organization: randomLeaf(tree) });
    const startedAt = performance.now();
    const answer = await fetch(`http://localhost:${server.port}${tokenPath}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form,
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`No token: ${answer.status} ${text}`);
    return performance.now() - startedAt;
  },
};

/** Walks by cursor to half-way through all organizations. */
export async function findDeepPage(api: NativeApi, organizations: number): Promise<string> {
  let page: string | undefined = '/organizations?cursor=&page_size=100';
  for (let seen = 0; seen < organizations / 2; seen += 100) {
    const next = nextPage((await api.call('GET', page)).headers);
    if (next === undefined) throw new Error(`The list of organizations ended after ${seen + 100}.`);
    page = next;
  }
  return page.replace('page_size=100', 'page_size=20');
}
