import java.nio.ByteBuffer;

/**
 * A student's window as bytes: absences of the last 5, 10, 20 and 45 days, a byte each, then every day in order of
 * its date: the day since the epoch as an int, and the first letter of its status.
 */
final class Window {
    private static final int[] LENGTHS = {5, 10, 20, 45};
    private static final int DAY = Integer.BYTES + 1;

    private Window() {}

    /** The window with this day's status; a day that is there already is replaced. */
    static byte[] with(byte[] before, int day, String status) {
        int days = before == null ? 0 : days(before);
        int place = days;
        while (place > 0 && dayAt(before, place - 1) >= day) {
            place--;
        }
        int from = place < days && dayAt(before, place) == day ? place + 1 : place;
        ByteBuffer after = ByteBuffer.allocate(LENGTHS.length + (place + 1 + days - from) * DAY);
        after.position(LENGTHS.length);
        if (before != null) {
            after.put(before, LENGTHS.length, place * DAY);
        }
        after.putInt(day).put((byte) status.charAt(0));
        if (before != null) {
            after.put(before, LENGTHS.length + from * DAY, (days - from) * DAY);
        }
        countAbsences(after.array());
        return after.array();
    }

    static int days(byte[] window) {
        return (window.length - LENGTHS.length) / DAY;
    }

    private static int dayAt(byte[] window, int place) {
        return ByteBuffer.wrap(window).getInt(LENGTHS.length + place * DAY);
    }

    private static void countAbsences(byte[] window) {
        int days = days(window);
        int absent = 0;
        int back = 0;
        for (int which = 0; which < LENGTHS.length; which++) {
            for (; back < Math.min(LENGTHS[which], days); back++) {
                absent += window[LENGTHS.length + (days - back) * DAY - 1] == 'a' ? 1 : 0;
            }
            window[which] = (byte) absent;
        }
    }
}
