import { REST_CALLS, type RestCall } from '@wafleet/contract';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { useCluster } from '../testing/cluster-fixture.js';
import { sendRequest } from '../testing/raw-request.js';

const fixture = useCluster();

const operation = z.object({
  summary: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))).min(1),
  responses: z.record(z.string(), z.unknown()),
});
const document = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), operation)),
});

describe('/docs', () => {
  it('describes every call in OpenAPI, with its credentials and errors', async () => {
    const { status, body } = await sendRequest(fixture.edge.url, 'GET /docs/json');
    expect(status).toBe(200);
    const { openapi, paths } = document.parse(body);
    expect(openapi).toMatch(/^3\.1/);
    const calls = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const documented = Object.entries<RestCall>(REST_CALLS).filter(([, { isHidden }]) => isHidden !== true);
    expect(calls.sort()).toEqual(
      documented.map(([, { route }]) => route.replaceAll(/:(\w+)/g, '{$1}')).sort(),
    );
    for (const { responses } of Object.values(paths).flatMap((methods) => Object.values(methods))) {
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['4XX', '5XX']));
    }
    expect(paths['/api/sessions/{id}/qr']?.get?.responses['200']).toMatchObject({
      content: { 'application/json': {}, 'image/png': {}, 'image/svg+xml': {} },
    });
  });

  it.each([
    '/docs/static/%00',
    '/docs/static/a%00b.js',
    '/docs/static/%zz',
    '/docs/static/%ff',
    '/docs/static/..%2f..%2fpackage.json',
    '/docs/static/%2e%2e%2f%2e%2e%2fpackage.json',
    '/docs/static/..%5c..%5cpackage.json',
    `/docs/static/${'x'.repeat(5_000)}`,
    `/docs/static/${'%2f'.repeat(1_000)}`,
    '/docs/static/index.html/x',
    '/docs/%00',
    '/docs/json/%00',
    '/%00',
    '/api/sessions/%00/qr',
  ])('has no file %s', async (path) => {
    const { status, body } = await sendRequest(fixture.edge.url, `GET ${path}`);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(body).toMatchObject({ error: { code: expect.any(String) } });
  });

  it('is a page, with a content security policy', async () => {
    const response = await fetch(`${fixture.edge.url}/docs`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(response.headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests');
    expect(await response.text()).toContain('swagger-ui');
  });
});
