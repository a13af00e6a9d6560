import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams on the marks, one record a mark: every student's window in RocksDB, each mark changelogged; no rules.
 *
 * <p>One thread, no cache, and else the defaults (at least once). The clock runs from the first mark in the processor
 * until the group's committed offsets cover the last, which Kafka Streams lets happen only when the changelog has
 * acknowledged every window. The JVM is cold at the start: "warm_marks_per_second" leaves out the first fifth.
 * Arguments: Kafka's address, topic, marks, application id, state folder, file for the result.
 */
public final class KeepWindows {
    private static final String WINDOWS = "windows";

    private final long marks;
    private final CountDownLatch taken = new CountDownLatch(1);
    private long seen;
    private volatile long started;
    private volatile long warm;
    private volatile double cpu;

    private KeepWindows(long marks) {
        this.marks = marks;
    }

    public static void main(String[] given) throws Exception {
        new KeepWindows(Long.parseLong(given[2])).run(given[0], given[1], given[3], given[4], Path.of(given[5]));
    }

    private void run(String kafka, String topic, String application, String folder, Path result) throws Exception {
        try (KafkaStreams streams = new KafkaStreams(topology(topic), settings(kafka, application, folder))) {
            streams.setUncaughtExceptionHandler(error -> {
                error.printStackTrace();
                Runtime.getRuntime().halt(1);
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.start();
            taken.await();
            awaitCommit(kafka, application);
            long ended = System.nanoTime();
            double used = cpuSeconds() - cpu;
            double seconds = (ended - started) / 1e9;
            double warmRate = (marks - marks / 5) / ((ended - warm) / 1e9);
            String figures = "{\"seconds\": %f, \"cpu_seconds\": %f, \"marks\": %d, \"warm_marks_per_second\": %f}";
            Files.writeString(result, String.format(Locale.ROOT, figures, seconds, used, kept(streams), warmRate));
        }
    }

    private static Properties settings(String kafka, String application, String folder) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, kafka);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        return settings;
    }

    private Topology topology(String topic) {
        return new Topology()
            .addSource("marks", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), topic)
            .addProcessor("window", Keeper::new, "marks")
            .addStateStore(
                Stores.keyValueStoreBuilder(
                        Stores.persistentKeyValueStore(WINDOWS), Serdes.String(), Serdes.ByteArray())
                    .withCachingDisabled()
                    .withLoggingEnabled(Map.of()),
                "window");
    }

    /** Returns when the offsets committed are as many as there are marks: a mark is a record. */
    private void awaitCommit(String kafka, String application) throws Exception {
        try (Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka))) {
            long committed = 0;
            while (committed < marks) {
                committed = admin.listConsumerGroupOffsets(application).partitionsToOffsetAndMetadata().get().values()
                    .stream().filter(Objects::nonNull).mapToLong(OffsetAndMetadata::offset).sum();
            }
        }
    }

    /** How many marks the windows hold. */
    private static long kept(KafkaStreams streams) {
        long found = 0;
        var store = streams.store(
            StoreQueryParameters.fromNameAndType(WINDOWS, QueryableStoreTypes.<String, byte[]>keyValueStore()));
        try (KeyValueIterator<String, byte[]> all = store.all()) {
            while (all.hasNext()) {
                KeyValue<String, byte[]> one = all.next();
                found += Window.days(one.value);
            }
        }
        return found;
    }

    private static double cpuSeconds() {
        return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toMillis() / 1e3;
    }

    private void count(ProcessorContext<Void, Void> context) {
        seen++;
        if (seen == marks / 5) {
            warm = System.nanoTime();
        }
        if (seen == marks) {
            context.commit();
            taken.countDown();
        }
    }

    /** Takes a mark into its student's window. All tasks run on the one thread. */
    private final class Keeper implements Processor<String, byte[], Void, Void> {
        private final JsonFactory json = new JsonFactory();
        private ProcessorContext<Void, Void> context;
        private KeyValueStore<String, byte[]> windows;

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            this.context = context;
            this.windows = context.getStateStore(WINDOWS);
        }

        @Override
        public void process(Record<String, byte[]> record) {
            if (started == 0) {
                started = System.nanoTime();
                cpu = cpuSeconds();
            }
            take(record.value());
            count(context);
        }

        private void take(byte[] mark) {
            String student = null;
            String date = null;
            String status = null;
            try (JsonParser parser = json.createParser(mark)) {
                parser.nextToken();
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String name = parser.currentName();
                    parser.nextToken();
                    switch (name) {
                        case "student" -> student = parser.getText();
                        case "date" -> date = parser.getText();
                        case "status" -> status = parser.getText();
                        default -> parser.skipChildren();
                    }
                }
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
            int day = (int) LocalDate.parse(date).toEpochDay();
            windows.put(student, Window.with(windows.get(student), day, status));
        }
    }
}
