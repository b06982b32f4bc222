/** What the page is built with; see README.md. */
import { type LogtoConfig, UserScope } from '@logto/react';

const {
  VITE_ENDPOINT = 'http://localhost:8480',
  VITE_APP_ID = '',
  VITE_AUDIENCE = 'https://app.example',
  VITE_APP_SERVER = 'http://127.0.0.1:3001',
} = import.meta.env as Record<string, string | undefined>;

/** The API that the app server is; tokens are asked for with its name. */
export const audience = VITE_AUDIENCE;
export const appServer = VITE_APP_SERVER;

export const signIn: LogtoConfig = {
  endpoint: VITE_ENDPOINT,
  appId: VITE_APP_ID,
  resources: [audience],
  // What of it a person gets in an organization is decided by the person's roles there.
  scopes: [UserScope.Organizations, 'org:read', 'org:create', 'org:delete'],
};

export const callbackPath = '/callback';
