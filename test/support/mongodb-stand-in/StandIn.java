import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.h2.mvstore.MVStore;

/**
 * A server for tests that speaks MongoDB's protocol: a file of data, and what it has acknowledged is in the file, so
 * that it can be killed. Arguments: the file, the port (0 takes a free one), the wire version it says it has.
 */
public final class StandIn extends H2Backend {
  /** The commands that change documents; those that only read must neither wait for a commit nor make one. */
  private static final Set<String> WRITES = Set.of("insert", "update", "delete", "findAndModify");
  /** Those that change collections come alone: two renames of one collection at once would lose it. */
  private static final Set<String> ALONE =
      Set.of("create", "createIndexes", "drop", "dropDatabase", "dropIndexes", "renameCollection");

  private final MVStore store;
  /** Read by writes at work, written by a commit: a document and its index entries are in the file together. */
  private final ReadWriteLock whole = new ReentrantReadWriteLock(true);

  private StandIn(MVStore store) {
    super(store);
    this.store = store;
  }

  @Override
  public Document handleMessage(MongoMessage message) {
    Iterator<String> names = message.getDocument().keySet().iterator();
    String command = names.hasNext() ? names.next() : "";
    boolean alone = ALONE.contains(command);
    if (!alone && !WRITES.contains(command)) return super.handleMessage(message);
    Lock lock = alone ? whole.writeLock() : whole.readLock();
    Document answer = locked(lock, () -> super.handleMessage(message));
    return locked(
        whole.writeLock(),
        () -> {
          if (store.hasUnsavedChanges()) store.commit();
          return answer;
        });
  }

  private static Document locked(Lock lock, Supplier<Document> work) {
    lock.lock();
    try {
      return work.get();
    } finally {
      lock.unlock();
    }
  }

  @Override
  protected MongoDatabase openOrCreateDatabase(String name) {
    return new Database(name, getMvStore(), getCursorRegistry());
  }

  /**
   * The library's renameCollection leaves the documents and the unique indexes under the old name in the file: after a
   * restart the collection is empty, and a new one of the old name has its documents. Here they go along.
   */
  private static final class Database extends H2Database {
    private final MVStore store;

    Database(String name, MVStore store, CursorRegistry cursors) {
      super(name, store, cursors);
      this.store = store;
    }

    @Override
    public void moveCollection(MongoDatabase from, MongoCollection<?> collection, String name) {
      String before = collection.getFullName();
      super.moveCollection(from, collection, name);
      String after = collection.getFullName();
      for (String kind : List.of("databases.", "meta.")) {
        // The library has just made an empty one.
        store.removeMap(kind + after);
        store.renameMap(store.openMap(kind + before), kind + after);
      }
      String indexes = before + "._index_";
      for (String map : List.copyOf(store.getMapNames())) {
        if (!map.startsWith(indexes)) continue;
        String moved = after + "._index_" + map.substring(indexes.length());
        store.removeMap(moved);
        store.renameMap(store.openMap(map), moved);
      }
    }
  }

  public static void main(String[] arguments) throws IOException {
    int wireVersion = Integer.parseInt(arguments[2]);
    // Without a limit to what may be unsaved, which would end in a commit in the middle of a message.
    MVStore store =
        new MVStore.Builder().fileName(arguments[0]).autoCommitDisabled().autoCommitBufferSize(0).open();
    StandIn backend = new StandIn(store);
    backend.version(
        new MongoVersion() {
          @Override
          public List<Integer> getVersionArray() {
            return List.of(7, 0, 0);
          }

          @Override
          public int getWireVersion() {
            return wireVersion;
          }
        });
    MongoServer server = new MongoServer(backend);
    server.bind("127.0.0.1", Integer.parseInt(arguments[1]));
    InetSocketAddress address = server.getLocalAddress();
    System.out.println("listening on " + address.getPort());
    // Whoever started it holds the other end, and has gone when it closes.
    while (System.in.read() >= 0) {}
    server.shutdownNow();
  }
}
