/** What a client sent to prove who it is, read at the edge and typed; nothing of it is believed yet (RFC 6749 §2.3). */
export type PresentedCredentials =
  | {
      readonly method: 'none';
      readonly clientId: string | undefined;
      /** What the client showed in TLS, DER: proof enough where a certificate is registered (RFC 8705 §2). */
      readonly certificate?: Buffer | undefined;
    }
  | {
      readonly method: 'client_secret_basic' | 'client_secret_post';
      readonly clientId: string;
      readonly secret: string;
    }
  | {
      readonly method: 'private_key_jwt';
      /** From the request, or else from the assertion's `sub`. */
      readonly clientId: string;
      readonly assertion: string;
    }
  /** What was sent can't be read; the reason is for the log and, where it helps, for the caller. */
  | {
      readonly method: 'unreadable';
      readonly clientId: string | undefined;
      readonly problem: 'several_auth_methods' | 'credentials_malformed';
    };
