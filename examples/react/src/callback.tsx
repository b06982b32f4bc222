import { useHandleSignInCallback } from '@logto/react';
import { Failure } from './failure.tsx';

/** Where the server sends the browser back to: the code is exchanged, and the page starts anew. */
export function Callback() {
  const { error } = useHandleSignInCallback(() => location.replace('/'));
  return error === undefined ? <p>Signing in…</p> : <Failure error={error} />;
}
