// Reads encoded histograms, one a line, with the Java reference implementation, and prints a line
// for each: count, min, max, the percentiles asked for, then "value:count" of every counter in use.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.Base64;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

public final class HdrDump {
  private static final double[] PERCENTILES = {50.0, 90.0, 99.0, 99.9, 99.99};

  private HdrDump() {}

  public static void main(String[] args) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(line));
      System.out.println(describe(Histogram.decodeFromCompressedByteBuffer(bytes, 0)));
    }
  }

  private static String describe(Histogram histogram) {
    StringBuilder text = new StringBuilder();
    text.append(histogram.getTotalCount());
    for (double percentile : PERCENTILES) {
      text.append(' ').append(histogram.getValueAtPercentile(percentile));
    }
    for (HistogramIterationValue step : histogram.recordedValues()) {
      text.append(' ').append(histogram.lowestEquivalentValue(step.getValueIteratedTo()));
      text.append(':').append(step.getCountAddedInThisIterationStep());
    }
    return text.toString();
  }
}
