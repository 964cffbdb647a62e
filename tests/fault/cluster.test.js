// Invariant: a ledger that is spread over a Citus cluster is the one that it was: every statement runs,
// entries are guarded where they are, and whatever server is killed at whatever moment, each receipt has
// exactly one entry, and what is billed is what was paid. Where there is no Citus, one line says so.
// Tests ledger/pg/cluster.c
import { test } from 'node:test'
import { Cluster, noCitus } from '../e2e/cluster.js'
import { check, readEntries } from './checker.js'
import { Load } from './load.js'
import * as support from './support.js'

const { assert, fs, generator, path, root, sleep } = support
const kills = Number(process.env.KILLS || (support.full ? 200 : 3))

// With types as the server finds them, and an entry's own values where it can be told what they are.
const samples = (id, agent) => ({
    uuid: id,
    bigint: '1',
    integer: '1',
    smallint: '1',
    boolean: 'true',
    text: agent,
    bytea: '\\x5a',
    date: 'today',
    json: '{}',
    jsonb: '{}',
    'timestamp with time zone': 'now'
})

function statements(folder) {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap(item => {
        const file = path.join(folder, item.name)
        if (item.isDirectory()) return statements(file)
        // A cursor's query, and no comment of more than a line's length, which psql's pipe does not take.
        const text = fs.readFileSync(file, 'utf8').replace(/^--.*\n/gm, '')
        return [{ name: path.basename(file, '.sql'), text: text.replace(/^DECLARE stream .*\n/, '').trim() }]
    })
}

// Runs each and takes it back. What PostgreSQL says about values that do not fit is no matter of where rows
// are; what Citus cannot do, or does not have on the other server, is.
function failing(ledger, values) {
    const all = Object.entries(values)
    const text = all.map(([type, value]) => `WHEN '${type}' THEN quote_literal('${value}')`).join(' ')
    const argument = `format('%s::%s', CASE WHEN t LIKE '%[]'
        THEN 'ARRAY[' || CASE left(t, -2) ${text} END || ']' ELSE CASE t ${text} END END, t)`
    const run = ({ name, text }) => `
        BEGIN
            EXECUTE $statement$PREPARE s AS ${text}$statement$;
            SELECT coalesce('(' || string_agg(${argument}, ',' ORDER BY n) || ')', '') INTO words
              FROM pg_prepared_statements,
                   unnest(parameter_types::text[]) WITH ORDINALITY AS p (t, n) WHERE name = 's';
            EXECUTE 'EXPLAIN EXECUTE s' || words;
            EXECUTE 'EXECUTE s' || words;
            RAISE EXCEPTION 'taken back' USING ERRCODE = 'P0999';
        EXCEPTION WHEN OTHERS THEN
            IF SQLSTATE IN ('0A000', '42P01', '42883') OR SQLSTATE = 'XX000' AND SQLERRM !~ 'check constraint'
            THEN
                failed := failed || format('${name}: %s %s', SQLSTATE, SQLERRM);
            END IF;
        END;
        BEGIN EXECUTE 'DEALLOCATE s'; EXCEPTION WHEN OTHERS THEN NULL; END;`
    const list = statements(path.join(root, 'sql/statements'))
    const found = []
    for (let i = 0; i < list.length; i += 5)
        found.push(
            ledger.query(`CREATE TEMP TABLE told (problem text);
                DO $all$ DECLARE words text; failed text[] := '{}'; BEGIN
                ${list.slice(i, i + 5).map(run).join('')}
                INSERT INTO told SELECT unnest(failed); END $all$;
                SELECT problem FROM told; DROP TABLE told`)
        )
    return { count: list.length, found: found.filter(Boolean) }
}

test('a ledger that is spread over a cluster', { skip: noCitus }, async t => {
    const world = await support.world(t, { ledgerKind: Cluster, gate: false })
    const { ledger, crawltab, words } = world
    const [worker] = ledger.workers
    world.gate = await world.startGate(...words)
    await world.gate.ready()
    const load = new Load(world, { seed: support.seed })
    await load.progress(20)

    await t.test('has the entries that it had, and its gates go on', async () => {
        ledger.join()
        assert.match((await crawltab('migrate', '--citus')).stdout, /spread the entries over a cluster/)
        await load.progress(20)
        assert.match((await crawltab('migrate', '--citus')).stdout, /nothing to do, the entries are spread/)
        // Each server tells all.
        assert.ok(Number(worker.query('SELECT count(*) FROM charge')) >= 40)
    })

    await t.test('is guarded where its entries are', async t => {
        const guards = async () => {
            const { stdout } = await crawltab('doctor').catch(error => error)
            return stdout.split('\n').filter(line => / guards /.test(line)).join('\n')
        }
        assert.match(await guards(), /no row can be changed unnoticed/)
        const shard = worker.query(`SET citus.override_table_visibility = off;
            SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^charge_[0-9]{8}_[0-9]+$'
             ORDER BY pg_relation_size(oid) DESC LIMIT 1`)
        const hand = 'SET citus.enable_manual_changes_to_shards = on; SET citus.enable_ddl_propagation = off'
        for (const deed of ["UPDATE $ SET rule = 'x'", 'DELETE FROM $', 'TRUNCATE $']) {
            const change = deed.replace('$', shard)
            assert.throws(() => worker.query(`${hand}; ${change}`, 'postgres'), /is append-only/)
            assert.throws(() => worker.query(change, 'crawltab_gate'), /permission denied|cannot modify/)
        }
        worker.query(`${hand}; ALTER TABLE ${shard} DISABLE TRIGGER ALL`)
        assert.match(await guards(), /shard [0-9]+ of table charge_.*its triggers, constraints or rights/)
        worker.query(`${hand}; DO $$ DECLARE name text; BEGIN
            FOR name IN SELECT tgname FROM pg_trigger
                         WHERE tgrelid = '${shard}'::regclass AND NOT tgisinternal LOOP
                EXECUTE format('ALTER TABLE ${shard} ENABLE ALWAYS TRIGGER %I', name);
            END LOOP; END $$`)
        assert.match(await guards(), /no row can be changed unnoticed/)
    })

    await t.test(`loses nothing and doubles nothing in ${kills} kills`, async t => {
        const random = generator(support.seed)
        t.diagnostic(`SEED=${support.seed}`)
        for (let kill = 1; kill <= kills; kill++) {
            const server = random.pick([ledger, ...ledger.workers])
            await load.progress(1 + random.below(12))
            await sleep(random.below(30))
            server.kill()
            server.start()
        }
        await load.progress(5)
    })

    await t.test('bills what was paid, and finds nothing wrong', async () => {
        const figures = await check(world, await load.stop())
        assert.ok(figures.entries > 40)
        await crawltab('audit')
    })

    // Last: it takes psql a while, in which nothing else of this program goes on.
    await t.test('runs every statement', () => {
        const id = ledger.query('SELECT payment_id FROM charge LIMIT 1')
        const { count, found } = failing(ledger, samples(id, world.agent.origin))
        assert.deepEqual(found, [])
        assert.ok(count > 280)
    })
})
