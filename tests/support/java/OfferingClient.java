import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** One HttpClient as everybody makes it: it offers h2c on plain HTTP. Prints the code and the content of each answer. */
public class OfferingClient {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] arguments) throws Exception {
        URI base = URI.create(arguments[0]);
        for (String line : arguments[1].split(";")) {
            String[] words = line.split(" ", 4);
            HttpRequest request = request(base.resolve(words[1]), words[0], words[2], words.length > 3 ? words[3] : "");
            if (words[2].equals("together")) {
                List<CompletableFuture<String>> all = new ArrayList<>();
                for (int number = 0; number < 8; number++) {
                    all.add(CLIENT.sendAsync(request, BodyHandlers.ofString()).thenApply(answer -> answer.statusCode() + " " + answer.body()));
                }
                for (CompletableFuture<String> one : all) {
                    System.out.println(one.get());
                }
            } else {
                var answer = CLIENT.send(request, BodyHandlers.ofString());
                System.out.println(answer.statusCode() + " " + answer.body());
            }
        }
    }

    private static HttpRequest request(URI uri, String method, String way, String text) {
        byte[] content = text.startsWith("*") ? "x".repeat(Integer.parseInt(text.substring(1))).getBytes() : text.getBytes();
        BodyPublisher body = switch (way) {
            case "none" -> BodyPublishers.noBody();
            case "stream" -> BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(content));
            default -> BodyPublishers.ofByteArray(content);
        };
        return HttpRequest.newBuilder(uri)
            .method(method, body)
            .expectContinue(way.equals("expect"))
            .timeout(Duration.ofSeconds(20))
            .build();
    }
}
