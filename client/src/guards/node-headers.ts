/** The parts of Node's IncomingMessage that are read; frameworks over Node pass it on. */
export interface NodeHeaders {
  readonly headers: { readonly authorization?: string | undefined };
  /** Has every value of a header that came more than once, where `headers` has only the first. */
  readonly headersDistinct?: { readonly authorization?: string[] | undefined };
}

export const authorizationOf = (message: NodeHeaders): readonly string[] => {
  const { authorization } = message.headers;
  return message.headersDistinct?.authorization ?? (authorization === undefined ? [] : [authorization]);
};
