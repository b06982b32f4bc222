/** The parts of Node's IncomingMessage that are read; frameworks over Node pass it on. */
export interface NodeHeaders {
  readonly headers: { readonly authorization?: string | undefined; readonly dpop?: string | string[] | undefined };
  /** Has every value of a header that came more than once, where `headers` has only the first. */
  readonly headersDistinct?: {
    readonly authorization?: string[] | undefined;
    readonly dpop?: string[] | undefined;
  };
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/** `path` is what the request line has, whatever a router made of it. */
export function sentBy(message: NodeHeaders, path = message.url) {
  const { dpop } = message.headers;
  const proofs = message.headersDistinct?.dpop ?? (dpop === undefined ? [] : [dpop].flat());
  return { method: message.method ?? '', path: path ?? '', proofs };
}

export const authorizationOf = (message: NodeHeaders): readonly string[] => {
  const { authorization } = message.headers;
  return message.headersDistinct?.authorization ?? (authorization === undefined ? [] : [authorization]);
};
