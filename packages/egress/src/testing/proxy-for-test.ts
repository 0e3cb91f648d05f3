import { startProxy, type TestProxy, type TestProxyOptions } from '@wafleet/testkit';
import { onTestFinished } from 'vitest';

/** Starts a proxy that ends with the current test. */
export async function proxyForTest(options: TestProxyOptions): Promise<TestProxy> {
  const proxy = await startProxy(options);
  onTestFinished(() => proxy.stop());
  return proxy;
}
