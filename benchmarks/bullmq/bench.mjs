// BullMQ beside the timers of this library: delayed jobs, one worker process. Prints one line.
//   npm install --prefix benchmarks/bullmq        once; from then on bin/bench P6 runs this by itself
//   node benchmarks/bullmq/bench.mjs redis://127.0.0.1:6379 [rounds] [jobs]
import { createRequire } from 'node:module';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const uri = process.argv[2] ?? 'redis://127.0.0.1:6379';
const rounds = Number(process.argv[3] ?? 3);
const count = Number(process.argv[4] ?? 20000);
const concurrency = 64;
const perSecond = 1000;
const lagSeconds = 3;
const require = createRequire(import.meta.url);
const version = (name) => require(`${name}/package.json`).version;
const connection = () => new Redis(uri, { maxRetriesPerRequest: null });
const payload = { order: 1234567, action: 'remind', locale: 'en' };
const options = { removeOnComplete: true };
const queue = new Queue('bench', { connection: connection() });

/** Sets `count` jobs, 500 at a time, and returns jobs per second. */
async function bulk(delay) {
  const begun = performance.now();
  for (let first = 0; first < count; first += 500) {
    const size = Math.min(500, count - first);
    await queue.addBulk(Array.from({ length: size }, () => ({ name: 'job', data: payload, opts: { ...options, delay: delay() } })));
  }
  return (count / (performance.now() - begun)) * 1000;
}

/** A worker until `expected` jobs are done; tells each that is done to `onJob`. */
function worker(expected, onJob) {
  let done = 0;
  let finish;
  const end = new Promise((resolve) => (finish = resolve));
  const running = new Worker(
    'bench',
    async (job) => {
      onJob(job);
      if (++done === expected) finish(Date.now());
    },
    { connection: connection(), concurrency },
  );
  return { end, close: () => running.close() };
}

async function drain() {
  const due = Date.now() + 3000 + count / 5;
  await bulk(() => Math.max(0, due - Date.now()));
  if (Date.now() > due) throw new Error('the jobs were due before all were set');
  const taker = worker(count, () => {});
  const rate = (count / ((await taker.end) - due)) * 1000;
  await taker.close();
  return rate;
}

async function lag() {
  const lags = [];
  const taker = worker(perSecond * lagSeconds, (job) => lags.push(Date.now() - job.data.due));
  const adding = [];
  for (let step = 0; step < 100 * lagSeconds; step++) {
    const due = Date.now() + 300;
    const jobs = Array.from({ length: perSecond / 100 }, () => ({ name: 'job', data: { ...payload, due }, opts: { ...options, delay: 300 } }));
    adding.push(queue.addBulk(jobs));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await Promise.all(adding);
  await taker.end;
  await taker.close();
  lags.sort((a, b) => a - b);
  return [0.5, 0.99].map((share) => lags[Math.floor(lags.length * share)]);
}

const found = [];
// The first round is there to warm up.
for (let round = 0; round <= rounds; round++) {
  await queue.obliterate({ force: true });
  const schedule = await bulk(() => 86_400_000);
  await queue.obliterate({ force: true });
  const drained = await drain();
  const [p50, p99] = await lag();
  if (round > 0) found.push({ schedule, drained, p50, p99 });
}
const median = (of) => found.map(of).sort((a, b) => a - b)[Math.floor(found.length / 2)];
const rate = (of) => Math.round(median(of)).toLocaleString('en-US');
console.log(
  `BullMQ ${version('bullmq')} (ioredis ${version('ioredis')}, Node.js ${process.versions.node}, concurrency ${concurrency}): ` +
    `schedule with addBulk ${rate((it) => it.schedule)}/s, drain ${rate((it) => it.drained)}/s, ` +
    `lag at ${perSecond}/s p50 ${median((it) => it.p50)} ms, p99 ${median((it) => it.p99)} ms`,
);
process.exit(0);
