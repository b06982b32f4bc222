import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/**
 * The certificate (PEM, with intermediate ones after it) and private key (PEM) of two files, as options of an https
 * server. Rejects with an `Error` of one line that names the setting and the cure.
 */
export async function fileTls(paths: { certPath: string; keyPath: string }): Promise<{ key: string; cert: string }> {
  const { certPath, keyPath } = paths;
  const cert = await read('SEKISHO_TLS_CERT', certPath);
  const key = await read('SEKISHO_TLS_KEY', keyPath);
  const certificate = parseCertificate(cert, certPath);
  if (!certificate.checkPrivateKey(parseKey(key, keyPath))) {
    throw new Error(
      `SEKISHO_TLS_KEY: the key in ${keyPath} does not belong to the first certificate in SEKISHO_TLS_CERT (${certPath}); give the key of that certificate, and put the server's own certificate before the intermediate ones.`,
    );
  }
  return { key, cert };
}

async function read(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new Error(`${setting}: ${path} can not be read (${code}); give the path of a PEM file the server may read.`, {
      cause: error,
    });
  }
}

function parseCertificate(text: string, path: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new Error(`SEKISHO_TLS_CERT: ${path} holds no certificate; give a PEM file that begins with one.`, { cause });
  }
}

function parseKey(text: string, path: string): KeyObject {
  if (text.includes('ENCRYPTED')) {
    throw new Error(
      `SEKISHO_TLS_KEY: ${path} is locked with a passphrase; give it without one (openssl pkey -in old.pem -out new.pem).`,
    );
  }
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw new Error(`SEKISHO_TLS_KEY: ${path} holds no private key; give a PEM file with one.`, { cause });
  }
}
