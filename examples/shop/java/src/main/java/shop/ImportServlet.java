package shop;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.xml.sax.SAXException;

/** Takes price lists and picture archives from partners. */
public class ImportServlet extends HttpServlet {
    private static final File PICTURES = new File("/srv/shop/pictures");

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws ServletException, IOException {
        try {
            switch (String.valueOf(request.getPathInfo())) {
                case "/prices" -> parse(request.getInputStream());
                case "/prices/safe" -> parseSafely(request.getInputStream());
                case "/pictures" -> unpack(request.getInputStream());
                case "/pictures/safe" -> unpackSafely(request.getInputStream());
                case "/stock" -> restore(request.getInputStream());
                case "/stock/safe" -> restoreSafely(request.getInputStream());
                default -> response.sendError(HttpServletResponse.SC_NOT_FOUND);
            }
        } catch (ParserConfigurationException | SAXException | ClassNotFoundException error) {
            throw new ServletException(error);
        }
    }

    private Document parse(InputStream body) throws ParserConfigurationException, SAXException, IOException {
        DocumentBuilder builder = DocumentBuilderFactory.newInstance().newDocumentBuilder();
        return builder.parse(body);
    }

    private Document parseSafely(InputStream body) throws ParserConfigurationException, SAXException, IOException {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        return factory.newDocumentBuilder().parse(body);
    }

    private void unpack(InputStream body) throws IOException {
        ZipInputStream archive = new ZipInputStream(body);
        ZipEntry entry;
        while ((entry = archive.getNextEntry()) != null) {
            File target = new File(PICTURES, entry.getName());
            try (FileOutputStream out = new FileOutputStream(target)) {
                archive.transferTo(out);
            }
        }
    }

    private void unpackSafely(InputStream body) throws IOException {
        ZipInputStream archive = new ZipInputStream(body);
        ZipEntry entry;
        while ((entry = archive.getNextEntry()) != null) {
            File target = new File(PICTURES, entry.getName());
            if (!target.getCanonicalPath().startsWith(PICTURES.getCanonicalPath() + File.separator)) {
                throw new IOException("entry leaves the picture directory");
            }
            try (FileOutputStream out = new FileOutputStream(target)) {
                archive.transferTo(out);
            }
        }
    }

    private Object restore(InputStream body) throws IOException, ClassNotFoundException {
        return new ObjectInputStream(body).readObject();
    }

    private Object restoreSafely(InputStream body) throws IOException, ClassNotFoundException {
        ObjectInputStream objects = new ObjectInputStream(body);
        objects.setObjectInputFilter(ObjectInputFilter.Config.createFilter("shop.StockLevel;java.lang.*;maxdepth=3;!*"));
        return objects.readObject();
    }
}
