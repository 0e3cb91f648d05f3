import { createHash, X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';

const HOST = 'web.whatsapp.com';

/** Stricter than WhatsApp Web's own: the page's scripts may not connect anywhere, and no style is allowed. */
const POLICY = "default-src 'none'; script-src 'unsafe-inline'";

/** `https://web.whatsapp.com` on this machine: a page with a script, and a certificate of its own. */
export class WhatsAppPage {
  readonly #server: Server;
  readonly #certificate: string;

  private constructor(server: Server, certificate: string) {
    this.#server = server;
    this.#certificate = certificate;
  }

  /** @param script runs in the page before anything else of it. */
  static async start(script: string): Promise<WhatsAppPage> {
    const { private: key, cert } = await generate([{ name: 'commonName', value: HOST }], {
      keyType: 'ec',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: HOST }] }],
    });
    const html = `<!doctype html><html lang="en"><head><title>WhatsApp</title><script>${script}</script></head><body>WhatsApp</body></html>`;
    const server = createServer({ key, cert }, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': POLICY }).end(html);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new WhatsAppPage(server, cert);
  }

  /** The arguments with which Chromium finds this page, and no other host, and trusts its certificate. */
  get browserArguments(): string[] {
    const { port } = this.#server.address() as AddressInfo;
    const { publicKey } = new X509Certificate(this.#certificate);
    const key = publicKey.export({ type: 'spki', format: 'der' });
    return [
      `--host-resolver-rules=MAP ${HOST} 127.0.0.1:${port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
      // Passkeys are refused on a page with an error of its certificate. With this there is none.
      `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`,
    ];
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
