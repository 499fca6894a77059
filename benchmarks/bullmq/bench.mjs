// BullMQ beside the timers of this library: delayed jobs, one worker process. Prints one line.
//   cd benchmarks/bullmq && npm install && node bench.mjs redis://127.0.0.1:6379 [jobs]
import { Queue, Worker } from 'bullmq';

const url = new URL(process.argv[2] ?? 'redis://127.0.0.1:6379');
const count = Number(process.argv[3] ?? 20000);
const connection = { host: url.hostname, port: Number(url.port || 6379), maxRetriesPerRequest: null };
const payload = { order: 1234567, action: 'remind', locale: 'en' };
const options = { removeOnComplete: true };
const queue = new Queue('bench', { connection });

async function bulk(delay) {
  for (let first = 0; first < count; first += 500) {
    await queue.addBulk(Array.from({ length: 500 }, () => ({ name: 'job', data: payload, opts: { ...options, delay: delay() } })));
  }
}

await queue.obliterate({ force: true });
let begun = performance.now();
await bulk(() => 86_400_000);
const schedule = (count / (performance.now() - begun)) * 1000;
await queue.obliterate({ force: true });

const due = Date.now() + 3000 + count / 5;
await bulk(() => Math.max(0, due - Date.now()));
if (Date.now() > due) throw new Error('the jobs were due before all were added');
let done = 0;
let onDone;
const all = new Promise((resolve) => (onDone = resolve));
let onJob = () => {
  if (++done === count) onDone();
};
const worker = new Worker('bench', async (job) => onJob(job), { connection, concurrency: 64 });
await all;
const drain = (count / (Date.now() - due)) * 1000;

const lags = [];
const rate = 1000;
let finished;
const end = new Promise((resolve) => (finished = resolve));
onJob = (job) => {
  lags.push(Date.now() - job.data.due);
  if (lags.length === rate * 3) finished();
};
for (let step = 0; step < 300; step++) {
  const at = Date.now() + 300;
  queue.addBulk(Array.from({ length: rate / 100 }, () => ({ name: 'job', data: { ...payload, due: at }, opts: { ...options, delay: 300 } })));
  await new Promise((resolve) => setTimeout(resolve, 10));
}
await end;
lags.sort((a, b) => a - b);
const percentile = (share) => lags[Math.min(lags.length - 1, Math.floor(lags.length * share))];
console.log(
  `BullMQ: schedule (addBulk) ${Math.round(schedule)}/s, drain ${Math.round(drain)}/s, ` +
    `lag p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms`,
);
await worker.close();
await queue.close();
