type Library = typeof import('@peculiar/x509');

let loaded: Promise<Library> | undefined;

/**
 * The x509 library, loaded at the first certificate that has to be made: loading takes longer than all the rest of a
 * start, and most starts make none. Its dependency injection asks for the metadata functions on `Reflect`.
 */
export function x509Library(): Promise<Library> {
  loaded ??= import('reflect-metadata').then(() => import('@peculiar/x509'));
  return loaded;
}
