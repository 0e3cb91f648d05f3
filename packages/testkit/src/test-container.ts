import {
  type FindBackend,
  ownUser,
  REDIS_IMAGE,
  type RunningServer,
  type ServerSettings,
  serverArguments,
} from '@wafleet/local-redis';
import type { GenericContainer } from 'testcontainers';

/** A container for tests, if an engine that testcontainers supports answers: Docker, Podman, Colima and the like. */
export const inTestContainer: FindBackend = async () => {
  // Loaded here because an earlier step serves most starts, and this import alone takes a second.
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  try {
    await getContainerRuntimeClient();
  } catch {
    return { missing: 'no container engine answers' };
  }
  return {
    backend: {
      description: `${REDIS_IMAGE} in a container`,
      launch: (settings) => launch(new GenericContainer(REDIS_IMAGE), settings),
    },
  };
};

async function launch(container: GenericContainer, settings: ServerSettings): Promise<RunningServer> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  const { port, dir } = settings;
  const started = await container
    .withExposedPorts({ container: port, host: port })
    .withBindMounts([{ source: dir, target: '/data' }])
    .withUser(ownUser())
    .withCommand(['redis-server', ...serverArguments(settings, '0.0.0.0', '/data')])
    .start();
  const client = await getContainerRuntimeClient();
  const ended = client.container
    .getById(started.getId())
    .wait()
    .then(() => 'the container ended');
  return {
    pid: undefined,
    ended,
    stop: async () => {
      await started.stop({ timeout: 10_000 });
    },
    kill: async () => {
      await started.stop({ timeout: 0 });
    },
  };
}
