/**
 * The pages people see: sign-in and what follows it, devices, sign-out, the first administrator. Both issuers share them. A
 * handler reads the form, calls the protocol, and shows the step that comes next; what may come next is decided there.
 *
 *   GET  /interaction/:id                 shows the step
 *   POST /interaction/:id/<step>          answers it ──► 303 to the next step, or on to the client
 *
 * Only the routes are here; views, texts and handlers are loaded when the first page is asked for.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuthorizationResponse } from '../../protocol/authorize/request.ts';
import type { HttpServices } from '../request.ts';

/** Largest form, in bytes: some fields, and a box for each organization. */
const bodyLimit = 64 * 1024;

/** Largest form that an upstream sends people back with, in bytes. */
const returnLimit = 16 * 1024;

/** What the pages need of the server. */
export interface PageServices extends HttpServices {
  /** An answer to a client with its refusal, if it is one, in the words of its issuer: only `http/oauth` knows them. */
  inWordsOfIssuer(response: AuthorizationResponse): AuthorizationResponse;
}

type Handler = (services: PageServices, request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** The plugin of the pages. */
export function pagesSurface(services: PageServices) {
  return async (server: FastifyInstance): Promise<void> => {
    server.setErrorHandler(async (error, request, reply) => {
      const { refusedPage } = await import('./errors.ts');
      return refusedPage(services, request, reply, error);
    });
    const get = (path: string, load: () => Promise<Handler>) =>
      // No HEAD: the end of an interaction is a code, which is given once.
      server.get(path, { exposeHeadRoute: false }, async (request, reply) => (await load())(services, request, reply));
    /** Every form goes through the one check that our page sent it. */
    const post = (path: string, load: () => Promise<Handler>) =>
      server.post(path, { bodyLimit }, async (request, reply) => {
        const { assertOwnForm } = await import('./csrf.ts');
        assertOwnForm(services, request);
        return (await load())(services, request, reply);
      });

    const interaction = () => import('./interaction.ts');
    get('/interaction/:id', async () => (await interaction()).showStep);
    post('/interaction/:id/account', async () => (await interaction()).answerAccount);
    post('/interaction/:id/organization', async () => (await interaction()).answerOrganization);
    post('/interaction/:id/consent', async () => (await interaction()).answerConsentPage);
    post('/interaction/:id/cancel', async () => (await interaction()).answerCancel);

    const signIn = () => import('./sign-in.ts');
    get('/interaction/:id/sign-in', async () => (await signIn()).showSignIn);
    post('/interaction/:id/sign-in', async () => (await signIn()).answerSignIn);
    const upstream = () => import('./upstream.ts');
    post('/interaction/:id/upstream', async () => (await upstream()).answerUpstream);
    get('/sign-in/callback/:policyId', async () => (await upstream()).finishUpstream);
    // Other sites send it: it only asks the browser to come back by GET.
    server.post('/sign-in/callback/:policyId', { bodyLimit: returnLimit }, async (request, reply) =>
      (await upstream()).passOnReturn(services, request, reply),
    );
    const signUp = () => import('./sign-up.ts');
    get('/interaction/:id/sign-up', async () => (await signUp()).showSignUp);
    post('/interaction/:id/sign-up', async () => (await signUp()).answerSignUp);

    const device = () => import('./device.ts');
    const deviceSignIn = () => import('./device-sign-in.ts');
    get('/device', async () => (await device()).showDevice);
    post('/device', async () => (await device()).answerDeviceCode);
    get('/device/confirm', async () => (await device()).showDeviceConfirm);
    post('/device/confirm', async () => (await device()).answerDeviceConfirm);
    post('/device/sign-in', async () => (await deviceSignIn()).answerDeviceSignIn);
    post('/device/upstream', async () => (await deviceSignIn()).answerDeviceUpstream);
    get('/device/connected', async () => (await device()).showDeviceConnected);
    get('/device/declined', async () => (await device()).showDeviceDeclined);

    const setup = () => import('./setup.ts');
    get('/setup', async () => (await setup()).showSetup);
    post('/setup', async () => (await setup()).answerSetup);
    get('/setup/done', async () => (await setup()).showSetupDone);

    post('/sign-out', async () => (await import('./sign-out.ts')).answerSignOut);
    get('/signed-out', async () => (await import('./signed-out.ts')).showSignedOut);
    addAssets(server);
  };
}

function addAssets(server: FastifyInstance): void {
  const assets = () => import('./assets.ts');
  server.get('/pages/styles.css', async (request, reply) => {
    const { sendAsset, styles } = await assets();
    return sendAsset(styles, request, reply);
  });
  server.get('/pages/dark.css', async (request, reply) => {
    const { sendAsset, darkStyles } = await assets();
    return sendAsset(darkStyles, request, reply);
  });
  server.get('/pages/form-post.js', async (request, reply) => {
    const { sendAsset, formPostScript } = await assets();
    return sendAsset(formPostScript, request, reply);
  });
  server.get<{ Params: { file: string } }>('/pages/theme/:file', async (request, reply) => {
    const { sendTheme } = await assets();
    return sendTheme(request.params.file, reply);
  });
}
