import { isIP, isIPv6 } from 'node:net';

/** Reads one kind of value; `parse` throws an Error whose message says what is expected. */
export interface Parser<T> {
  readonly type: string;
  parse(text: string): T;
}

type WithOptional<T> = Parser<T> & { readonly optional: Parser<T | undefined> };

export type Parsed<P> = P extends Parser<infer T> ? T : never;

const parser = <T>(type: string, parse: (text: string) => T): WithOptional<T> => ({
  type,
  parse,
  optional: { type, parse },
});

const fail = (expected: string): never => {
  throw new Error(`expects ${expected}`);
};

const hostPattern = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** Checked where it is used: the address rules live at the edge. */
const network = parser('address or range', (value) => (value === '' ? fail('a value') : value));

const url = parser('URL', (value) => {
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) return fail('an http or https URL');
  if (parsed.pathname !== '/' || parsed.search || parsed.hash || parsed.username || parsed.password) {
    return fail('a URL of scheme, host and port only, like https://auth.example.com');
  }
  return parsed;
});

const host = parser('host', (value) =>
  isIP(value) !== 0 || hostPattern.test(value) ? value.toLowerCase() : fail('a host name or an IP address'),
);

/** As a Host header has it: an IPv6 address stands in brackets. */
const hostAndPort = parser('host', (value) => {
  if (isIPv6(value)) return `[${value.toLowerCase()}]`;
  const [, name = '', address = '', port = '1'] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(value) ?? [];
  const isHost = isIPv6(name) || hostPattern.test(address);
  return isHost && Number(port) >= 1 && Number(port) <= 65_535
    ? value.toLowerCase()
    : fail('host names, like api.example.com or api.example.com:8443');
});

const port = parser('port', (value) =>
  /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535
    ? Number(value)
    : fail('a port number from 1 to 65535'),
);

const path = parser('path', (value) => (value === '' || value.includes('\0') ? fail('a path') : value));

const flag = parser('true or false', (value) =>
  value === 'true' ? true : value === 'false' ? false : fail('true or false'),
);

const choice = <const T extends string>(...values: T[]): Parser<T> =>
  parser(values.map((value) => `\`${value}\``).join(', '), (value) =>
    values.includes(value as T) ? (value as T) : fail(`one of ${values.join(', ')}`),
  );

const integer = (minimum: number, maximum: number): Parser<number> =>
  parser(`integer, ${minimum} to ${maximum}`, (value) =>
    /^\d{1,15}$/.test(value) && Number(value) >= minimum && Number(value) <= maximum
      ? Number(value)
      : fail(`a whole number from ${minimum} to ${maximum}`),
  );

const databaseUrl = parser('URL', (value) => {
  if (/^sqlite:./.test(value)) return value;
  if (/^postgres(ql)?:\/\/./.test(value) && URL.canParse(value)) return value;
  return fail('sqlite:<path>, sqlite::memory: or postgres://user:password@host:port/database');
});

/** One or several 32-byte keys, as 64 hexadecimal digits or base64, separated by commas or new lines. */
const masterKey = parser('key', (value) => {
  const keys = value.split(/[\s,]+/).filter((part) => part !== '');
  const decoded = keys.map(decodeKey);
  if (decoded.length === 0 || decoded.includes(undefined)) {
    return fail('32 bytes as 64 hexadecimal digits or base64 (make one with: openssl rand -hex 32)');
  }
  return decoded as Buffer[];
});

function decodeKey(key: string): Buffer | undefined {
  if (/^[0-9a-f]+$/i.test(key)) return key.length === 64 ? Buffer.from(key, 'hex') : undefined;
  // Node drops what is not base64 and decodes the rest: the form is checked here.
  const decoded = /^([A-Za-z0-9+/]{43}|[A-Za-z0-9_-]{43})=?$/.test(key) ? Buffer.from(key, 'base64') : undefined;
  return decoded?.length === 32 ? decoded : undefined;
}

const list = <T>(item: Parser<T>): Parser<T[]> =>
  parser(`${item.type}, …`, (value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map((part) => item.parse(part)),
  );

/** RFC 9110 §5.1; `authorization` and the like would be read as something else. */
const headerName = parser('name of a header', (value) =>
  /^[a-z0-9][a-z0-9-]{0,62}$/i.test(value) &&
  !/^(authorization|cookie|dpop|host|x-forwarded-.*|forwarded)$/i.test(value)
    ? value.toLowerCase()
    : fail('the name of a header of its own, of A-Z, a-z, 0-9 and -'),
);

const clientId = parser('text', (value) =>
  /^[A-Za-z0-9_-]{1,64}$/.test(value) ? value : fail('1 to 64 characters of A-Z, a-z, 0-9, _ and -'),
);

const secret = parser('secret', (value) =>
  [...value].length >= 32 && [...value].length <= 256 && new Set(value).size >= 16
    ? value
    : fail('32 to 256 characters, at least 16 of them distinct'),
);

export const parsers = {
  network,
  url,
  host,
  hostAndPort,
  port,
  path,
  flag,
  choice,
  integer,
  databaseUrl,
  masterKey,
  list,
  clientId,
  headerName,
  secret,
};
