/**
 * The same small API in each framework, on loopback, behind the guards. Every handler that runs leaves a note, so that a
 * test can tell whether anything behind a guard did.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { fastify } from 'fastify';
import { Hono } from 'hono';
import { createGuard as expressGuard } from '../src/guards/express.ts';
import { createGuard as fastifyGuard } from '../src/guards/fastify.ts';
import type { GuardOptions } from '../src/guards/guard.ts';
import { createGuard as honoGuard } from '../src/guards/hono.ts';
import { createGuard as nodeGuard } from '../src/guards/node.ts';
import type { AccessToken, Verifier, VerifierOptions } from '../src/index.ts';

export const frameworks = ['fastify', 'express', 'hono', 'node'] as const;
export type Framework = (typeof frameworks)[number];

export interface Api {
  readonly origin: string;
  /** What ran. */
  readonly ran: string[];
  close(): Promise<void>;
}

type Start = (verifier: Verifier | VerifierOptions, options: GuardOptions, ran: string[]) => Promise<Omit<Api, 'ran'>>;

/** Starts the API; `GET /open` is not guarded. */
export async function startApi(
  framework: Framework,
  verifier: Verifier | VerifierOptions,
  options: GuardOptions = {},
): Promise<Api> {
  const ran: string[] = [];
  return { ...(await starts[framework](verifier, options, ran)), ran };
}

const told = ({ subject, scopes, organizationId }: AccessToken) => ({ subject, scopes, organizationId });

const starts: Record<Framework, Start> = {
  async fastify(verifier, options, ran) {
    const app = fastify();
    const guard = fastifyGuard(verifier, options);
    app.addHook('preParsing', async (request) => {
      if (request.method === 'POST') ran.push('body');
    });
    app.get('/open', async () => ({}));
    app.get('/me', { onRequest: guard.requireToken() }, async (request) => {
      ran.push('me');
      return told(guard.accessToken(request));
    });
    app.post('/orders', { onRequest: guard.requireScopes('org:create', 'read:orders') }, async (request) => {
      ran.push('orders');
      return told(guard.accessToken(request));
    });
    const ownOrganization = [
      guard.requireScopes('read:orders'),
      guard.requireOrganization({ parameter: 'organizationId' }),
    ];
    app.get('/organizations/:organizationId/orders', { onRequest: ownOrganization }, async (request) => {
      ran.push('organization');
      return told(guard.accessToken(request));
    });
    app.get('/organization', { onRequest: guard.requireOrganization() }, async (request) => {
      ran.push('organization');
      return told(guard.accessToken(request));
    });
    app.get('/mistake', { onRequest: guard.requireOrganization({ parameter: 'organizationId' }) }, async () => {
      ran.push('mistake');
      return {};
    });
    app.get('/unguarded', async (request) => told(guard.accessToken(request)));
    const origin = await app.listen({ host: '127.0.0.1', port: 0 });
    return { origin, close: () => app.close() };
  },

  async express(verifier, options, ran) {
    const app = express();
    const guard = expressGuard(verifier, options);
    const answer =
      (name: string): express.RequestHandler =>
      (request, response) => {
        ran.push(name);
        response.json(told(guard.accessToken(request)));
      };
    app.get('/open', (_request, response) => {
      response.json({});
    });
    app.get('/me', guard.requireToken(), answer('me'));
    app.post('/orders', guard.requireScopes('org:create', 'read:orders'), express.json(), answer('orders'));
    app.get(
      '/organizations/:organizationId/orders',
      guard.requireScopes('read:orders'),
      guard.requireOrganization({ parameter: 'organizationId' }),
      answer('organization'),
    );
    app.get('/organization', guard.requireOrganization(), answer('organization'));
    app.get('/mistake', guard.requireOrganization({ parameter: 'organizationId' }), answer('mistake'));
    app.get('/unguarded', answer('unguarded'));
    // Express would print the error of the route with the mistake.
    const onError: express.ErrorRequestHandler = (_error, _request, response, _next) => {
      response.status(500).json({});
    };
    app.use(onError);
    return listen(createServer(app));
  },

  async hono(verifier, options, ran) {
    const app = new Hono();
    const guard = honoGuard(verifier, options);
    app.get('/open', (context) => context.json({}));
    app.get('/me', guard.requireToken(), (context) => {
      ran.push('me');
      return context.json(told(guard.accessToken(context)));
    });
    app.post('/orders', guard.requireScopes('org:create', 'read:orders'), (context) => {
      ran.push('orders');
      return context.json(told(guard.accessToken(context)));
    });
    app.get(
      '/organizations/:organizationId/orders',
      guard.requireScopes('read:orders'),
      guard.requireOrganization({ parameter: 'organizationId' }),
      (context) => {
        ran.push('organization');
        return context.json(told(guard.accessToken(context)));
      },
    );
    app.get('/organization', guard.requireOrganization(), (context) => {
      ran.push('organization');
      return context.json(told(guard.accessToken(context)));
    });
    app.get('/mistake', guard.requireOrganization({ parameter: 'organizationId' }), (context) => {
      ran.push('mistake');
      return context.json({});
    });
    app.get('/unguarded', (context) => context.json(told(guard.accessToken(context))));
    app.onError((_error, context) => context.json({}, 500));
    const server = createServer(async (request, response) => {
      // Hono speaks the Web's Request and Response; this is all of Node that it sees.
      const headers = new Headers();
      for (let index = 0; index < request.rawHeaders.length; index += 2) {
        headers.append(request.rawHeaders[index] as string, request.rawHeaders[index + 1] as string);
      }
      const url = `http://127.0.0.1${request.url}`;
      const answer = await app.fetch(new Request(url, { method: request.method as string, headers }));
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(await answer.text());
    });
    return listen(server);
  },

  async node(verifier, options, ran) {
    const guard = nodeGuard(verifier, options);
    const answer =
      (name: string) =>
      (request: Parameters<typeof guard.accessToken>[0], response: import('node:http').ServerResponse) => {
        ran.push(name);
        response.end(JSON.stringify(told(guard.accessToken(request))));
      };
    const organizationId = (request: { url?: string | undefined }) => request.url?.split('/')[2];
    const routes: [RegExp, (...args: Parameters<ReturnType<typeof answer>>) => void][] = [
      [/^\/open$/, (_request, response) => response.end('{}')],
      [/^\/me(\?|$)/, guard.requireToken()(answer('me'))],
      [/^\/orders$/, guard.requireScopes('org:create', 'read:orders')(answer('orders'))],
      [
        /^\/organizations\/[^/]+\/orders$/,
        guard.requireScopes('read:orders')(guard.requireOrganization({ organizationId })(answer('organization'))),
      ],
      [/^\/organization$/, guard.requireOrganization()(answer('organization'))],
      [/^\/mistake$/, guard.requireOrganization({ parameter: 'organizationId' })(answer('mistake'))],
      [
        /^\/unguarded$/,
        (request, response) => {
          try {
            answer('unguarded')(request, response);
          } catch {
            response.writeHead(500).end();
          }
        },
      ],
    ];
    return listen(
      createServer((request, response) => {
        const handler = routes.find(([path]) => path.test(request.url as string))?.[1];
        if (handler === undefined) response.writeHead(404).end();
        else handler(request, response);
      }),
    );
  },
};

async function listen(server: Server): Promise<Omit<Api, 'ran'>> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
