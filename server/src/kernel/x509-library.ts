type Library = typeof import('@peculiar/x509');

let loaded: Promise<Library> | undefined;

/**
 * The x509 library, loaded at the first certificate that has to be made: loading takes longer than all the rest of a
 * start, and most starts make none.
 */
export function x509Library(): Promise<Library> {
  loaded ??= load();
  return loaded;
}

/**
 * tsyringe, inside the library, refuses to load without the reflect-metadata functions, but here they would find
 * nothing: the library decorates no constructor parameter. So they are lent to it while it loads and taken back, lest
 * another package believe that the whole polyfill is present.
 */
async function load(): Promise<Library> {
  if ('getMetadata' in Reflect) return import('@peculiar/x509');
  const nothing = { configurable: true, value: () => undefined };
  const lent = ['getMetadata', 'getOwnMetadata', 'defineMetadata'];
  for (const name of lent) Object.defineProperty(Reflect, name, nothing);
  try {
    return await import('@peculiar/x509');
  } finally {
    for (const name of lent) Reflect.deleteProperty(Reflect, name);
  }
}
