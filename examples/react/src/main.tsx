import { LogtoProvider } from '@logto/react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { Callback } from './callback.tsx';
import { callbackPath, signIn } from './settings.ts';
import './styles.css';

createRoot(document.getElementById('root') as HTMLElement).render(
  <LogtoProvider config={signIn}>
    <main>{location.pathname === callbackPath ? <Callback /> : <App />}</main>
  </LogtoProvider>,
);
